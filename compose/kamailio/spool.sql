-- Reports that the bridge has not taken yet.
pragma journal_mode = wal;
create table if not exists event (id integer primary key autoincrement, body text not null);
