package bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Raises an alert for a parcel that was silent for longer than a week, at its last scan plus a week; the next scan
 * resolves it.
 *
 * <p>A parcel has at most one entry in the index of what is due. It is not moved with each scan: once it falls due it
 * finds that the parcel was scanned since, and is put back for the new time.
 */
final class Stalls implements Processor<String, Scan, String, String> {
    static final String PARCELS = "parcels";
    static final String DUE = "due";
    private static final long WEEK = Duration.ofHours(168).toMillis();
    private static final long LATENESS = Duration.ofHours(1).toMillis();
    private static final byte[] NOTHING = {};

    private ProcessorContext<String, String> context;
    private KeyValueStore<String, Parcel> parcels;
    private KeyValueStore<Bytes, byte[]> due;
    private long judged;

    @Override
    public void init(ProcessorContext<String, String> context) {
        this.context = context;
        parcels = context.getStateStore(PARCELS);
        due = context.getStateStore(DUE);
        context.schedule(Duration.ofHours(1), PunctuationType.STREAM_TIME, this::judge);
    }

    @Override
    public void process(Record<String, Scan> record) {
        String key = record.key();
        long time = record.timestamp();
        Parcel parcel = parcels.get(key);
        if (parcel == null) {
            if (!record.value().terminal) {
                parcels.put(key, new Parcel(time, false));
                due.put(entry(time + WEEK, key), NOTHING);
            }
            return;
        }
        if (time > parcel.last()) {
            if (parcel.stalled()) {
                tell(key, "resolved", time);
                due.put(entry(time + WEEK, key), NOTHING);
            } else if (time - parcel.last() > WEEK) {
                tell(key, "raised", parcel.last() + WEEK);
                tell(key, "resolved", time);
            }
        }
        if (record.value().terminal) {
            parcels.delete(key);
        } else if (time > parcel.last()) {
            parcels.put(key, new Parcel(time, false));
        }
    }

    private void judge(long streamTime) {
        long horizon = streamTime - LATENESS;
        List<Bytes> fallen = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> found = due.range(entry(judged, ""), entry(horizon, ""))) {
            while (found.hasNext()) {
                KeyValue<Bytes, byte[]> one = found.next();
                fallen.add(one.key);
            }
        }
        for (Bytes one : fallen) {
            due.delete(one);
            String key = new String(one.get(), Long.BYTES, one.get().length - Long.BYTES, StandardCharsets.UTF_8);
            Parcel parcel = parcels.get(key);
            if (parcel == null) {
                continue;
            }
            long deadline = parcel.last() + WEEK;
            if (deadline < horizon) {
                tell(key, "raised", deadline);
                parcels.put(key, new Parcel(parcel.last(), true));
            } else {
                due.put(entry(deadline, key), NOTHING);
            }
        }
        judged = Math.max(judged, horizon);
    }

    private void tell(String key, String status, long time) {
        String value = "{\"tracking_no\":\"" + key + "\",\"status\":\"" + status + "\",\"time\":" + time + "}";
        context.forward(new Record<>(key, value, time));
    }

    /** Ordered by time: big-endian, and never negative. */
    private static Bytes entry(long time, String key) {
        byte[] name = key.getBytes(StandardCharsets.UTF_8);
        return Bytes.wrap(ByteBuffer.allocate(Long.BYTES + name.length).putLong(Math.max(time, 0)).put(name).array());
    }
}
