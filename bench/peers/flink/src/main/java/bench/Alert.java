package bench;

import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.serialization.SerializationSchema;

/** What is told of a parcel: raised or resolved, at a time in milliseconds. A POJO. */
public final class Alert {
    public String trackingNo;
    public String status;
    public long time;

    public Alert() {}

    Alert(String trackingNo, String status, long time) {
        this.trackingNo = trackingNo;
        this.status = status;
        this.time = time;
    }

    static final class Key implements SerializationSchema<Alert> {
        @Override
        public byte[] serialize(Alert alert) {
            return alert.trackingNo.getBytes(StandardCharsets.UTF_8);
        }
    }

    static final class Value implements SerializationSchema<Alert> {
        @Override
        public byte[] serialize(Alert alert) {
            String value = "{\"tracking_no\":\"" + alert.trackingNo + "\",\"status\":\"" + alert.status + "\",\"time\":"
                    + alert.time + "}";
            return value.getBytes(StandardCharsets.UTF_8);
        }
    }
}
