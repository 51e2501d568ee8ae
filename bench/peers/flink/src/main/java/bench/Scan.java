package bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.time.OffsetDateTime;
import java.util.Set;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;

/** One update of a parcel; times in milliseconds since 1970 UTC. Public and mutable, so that Flink takes it for a POJO. */
public final class Scan {
    private static final Set<String> TERMINAL = Set.of("delivered", "returned", "destroyed");

    public String trackingNo;
    public long time;
    public boolean terminal;

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Fields(
            @JsonProperty("tracking_no") String trackingNo,
            @JsonProperty("occurred_at") String occurredAt,
            @JsonProperty("status") String status) {}

    static final class FromJson extends AbstractDeserializationSchema<Scan> {
        private transient ObjectReader reader;

        @Override
        public void open(InitializationContext context) {
            reader = new ObjectMapper().readerFor(Fields.class);
        }

        @Override
        public Scan deserialize(byte[] value) throws IOException {
            Fields fields = reader.readValue(value);
            Scan scan = new Scan();
            scan.trackingNo = fields.trackingNo();
            scan.time = OffsetDateTime.parse(fields.occurredAt()).toInstant().toEpochMilli();
            scan.terminal = TERMINAL.contains(fields.status());
            return scan;
        }
    }
}
