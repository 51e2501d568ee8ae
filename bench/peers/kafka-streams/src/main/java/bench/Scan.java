package bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.time.OffsetDateTime;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.streams.processor.TimestampExtractor;

/** One update of a parcel; times in milliseconds since 1970 UTC. */
final class Scan {
    private static final Set<String> TERMINAL = Set.of("delivered", "returned", "destroyed");

    final long time;
    final String trackingNo;
    final boolean terminal;

    private Scan(Fields fields) {
        time = OffsetDateTime.parse(fields.occurredAt()).toInstant().toEpochMilli();
        trackingNo = fields.trackingNo();
        terminal = TERMINAL.contains(fields.status());
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Fields(
            @JsonProperty("tracking_no") String trackingNo,
            @JsonProperty("occurred_at") String occurredAt,
            @JsonProperty("status") String status) {}

    static final class FromJson implements Deserializer<Scan> {
        private final ObjectReader reader = new ObjectMapper().readerFor(Fields.class);

        @Override
        public Scan deserialize(String topic, byte[] value) {
            try {
                return new Scan(reader.readValue(value));
            } catch (IOException invalid) {
                throw new SerializationException(invalid);
            }
        }
    }

    /** Event time is the scan's own. */
    public static final class Time implements TimestampExtractor {
        @Override
        public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
            return ((Scan) record.value()).time;
        }
    }
}
