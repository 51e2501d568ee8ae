package bench;

/** What is known of a parcel on its way: the time of its last scan, and whether an alert is open. A POJO. */
public final class Parcel {
    public long last;
    public boolean stalled;

    public Parcel() {}

    Parcel(long last) {
        this.last = last;
    }
}
