package bench;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/**
 * What is known of a parcel on its way.
 *
 * @param last the time of its last scan
 * @param stalled whether an alert is open
 */
record Parcel(long last, boolean stalled) {
    static Serde<Parcel> serde() {
        Serializer<Parcel> out = (topic, parcel) -> parcel == null
                ? null
                : ByteBuffer.allocate(9).putLong(parcel.last).put((byte) (parcel.stalled ? 1 : 0)).array();
        Deserializer<Parcel> in = (topic, bytes) -> {
            if (bytes == null) {
                return null;
            }
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            return new Parcel(buffer.getLong(), buffer.get() == 1);
        };
        return Serdes.serdeFrom(out, in);
    }
}
