package bench;

import java.time.Duration;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Raises an alert for a parcel that was silent for longer than a week, at its last scan plus a week; the next scan
 * resolves it.
 *
 * <p>A parcel has one timer, which is not moved with each scan: once it fires it finds that the parcel was scanned since,
 * and is set for the new time.
 */
final class Stalls extends KeyedProcessFunction<String, Scan, Alert> {
    private static final long WEEK = Duration.ofHours(168).toMillis();

    private transient ValueState<Parcel> parcels;

    @Override
    public void open(OpenContext context) {
        parcels = getRuntimeContext().getState(new ValueStateDescriptor<>("parcels", Parcel.class));
    }

    @Override
    public void processElement(Scan scan, Context context, Collector<Alert> out) throws Exception {
        Parcel parcel = parcels.value();
        if (parcel == null) {
            if (!scan.terminal) {
                parcels.update(new Parcel(scan.time));
                watch(context, scan.time);
            }
            return;
        }
        if (scan.time > parcel.last) {
            if (parcel.stalled) {
                out.collect(new Alert(scan.trackingNo, "resolved", scan.time));
                watch(context, scan.time);
            } else if (scan.time - parcel.last > WEEK) {
                out.collect(new Alert(scan.trackingNo, "raised", parcel.last + WEEK));
                out.collect(new Alert(scan.trackingNo, "resolved", scan.time));
            }
        }
        if (scan.terminal) {
            parcels.clear();
        } else if (scan.time > parcel.last) {
            parcels.update(new Parcel(scan.time));
        }
    }

    @Override
    public void onTimer(long time, OnTimerContext context, Collector<Alert> out) throws Exception {
        Parcel parcel = parcels.value();
        if (parcel == null || parcel.stalled) {
            return;
        }
        if (parcel.last + WEEK < time) {
            out.collect(new Alert(context.getCurrentKey(), "raised", parcel.last + WEEK));
            parcel.stalled = true;
            parcels.update(parcel);
        } else {
            watch(context, parcel.last);
        }
    }

    /** One millisecond behind the week: a scan that comes at its very end is not too late. */
    private void watch(Context context, long last) {
        context.timerService().registerEventTimeTimer(last + WEEK + 1);
    }
}
