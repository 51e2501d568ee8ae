package bench;

import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.Stores;

/**
 * Arguments: bootstrap servers, group, topic of scans, topic of alerts, folder for state, memory or rocksdb; and, for a
 * static member, its name.
 */
public final class StallWatch {
    public static void main(String[] arguments) throws InterruptedException {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[4]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 500);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.DEFAULT_TIMESTAMP_EXTRACTOR_CLASS_CONFIG, Scan.Time.class);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 128 << 10);
        if (arguments.length > 6) {
            settings.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), arguments[6]);
        }

        KafkaStreams streams =
                new KafkaStreams(topology(arguments[2], arguments[3], arguments[5].equals("rocksdb")), settings);
        CountDownLatch ended = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(failure -> {
            failure.printStackTrace();
            ended.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(20));
            ended.countDown();
        }));
        // For whoever measures how long it takes to be at work again.
        streams.setStateListener((now, before) -> System.out.println("state " + now));
        streams.setGlobalStateRestoreListener(new Restores());
        streams.start();
        ended.await();
    }

    static Topology topology(String scans, String alerts, boolean rocksdb) {
        // No caches: a parcel is seldom scanned twice within a commit, and a cache that never hits cost a quarter.
        var parcels = Stores.keyValueStoreBuilder(
                store(Stalls.PARCELS, rocksdb), Serdes.String(), Parcel.serde());
        var due = Stores.keyValueStoreBuilder(store(Stalls.DUE, rocksdb), Serdes.Bytes(), Serdes.ByteArray());
        return new Topology()
                .addSource("scans", Serdes.String().deserializer(), new Scan.FromJson(), scans)
                .addProcessor("stalls", Stalls::new, "scans")
                .addStateStore(parcels, "stalls")
                .addStateStore(due, "stalls")
                .addSink("alerts", alerts, Serdes.String().serializer(), Serdes.String().serializer(), "stalls");
    }

    private static KeyValueBytesStoreSupplier store(String name, boolean rocksdb) {
        return rocksdb ? Stores.persistentKeyValueStore(name) : Stores.inMemoryKeyValueStore(name);
    }
}
