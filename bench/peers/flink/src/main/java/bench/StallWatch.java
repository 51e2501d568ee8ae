package bench;

import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;

/**
 * Arguments: bootstrap servers, group, topic of scans, topic of alerts, folder for state, hashmap or rocksdb, and the
 * milliseconds from one checkpoint to the next. Everything runs in this one process, with one slot.
 */
public final class StallWatch {
    public static void main(String[] arguments) throws Exception {
        Configuration settings = new Configuration();
        settings.set(StateBackendOptions.STATE_BACKEND, arguments[5]);
        settings.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
        settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, Path.of(arguments[4]).toUri().toString());
        settings.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
        settings.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(256));
        // Nothing keeps a record that it was handed.
        settings.set(PipelineOptions.OBJECT_REUSE, true);
        settings.set(PipelineOptions.GENERIC_TYPES, false);

        StreamExecutionEnvironment flow = StreamExecutionEnvironment.getExecutionEnvironment(settings);
        flow.setParallelism(1);
        flow.enableCheckpointing(Long.parseLong(arguments[6]));

        KafkaSource<Scan> scans = KafkaSource.<Scan>builder()
                .setBootstrapServers(arguments[0])
                .setGroupId(arguments[1])
                .setTopics(arguments[2])
                .setStartingOffsets(OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST))
                .setValueOnlyDeserializer(new Scan.FromJson())
                .setProperty("max.poll.records", "5000")
                .build();
        KafkaSink<Alert> alerts = KafkaSink.<Alert>builder()
                .setBootstrapServers(arguments[0])
                .setRecordSerializer(KafkaRecordSerializationSchema.<Alert>builder()
                        .setTopic(arguments[3])
                        .setKeySerializationSchema(new Alert.Key())
                        .setValueSerializationSchema(new Alert.Value())
                        .build())
                .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                .setTransactionalIdPrefix(arguments[1])
                // The broker allows a quarter of an hour at the most, the sink would ask for an hour.
                .setProperty("transaction.timeout.ms", "600000")
                .build();
        WatermarkStrategy<Scan> eventTime = WatermarkStrategy.<Scan>forBoundedOutOfOrderness(Duration.ofHours(1))
                .withTimestampAssigner((scan, timestamp) -> scan.time);

        flow.fromSource(scans, eventTime, "scans")
                .keyBy(scan -> scan.trackingNo)
                .process(new Stalls())
                .sinkTo(alerts);
        flow.execute("stall watch");
    }
}
