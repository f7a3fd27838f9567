-- The empty plan: what Kamailio starts with on a box that has none yet. The bridge's own replaces it whole.
create table version (table_name varchar(32) primary key not null, table_version integer default 0 not null);
create table account (id integer primary key not null, key_name text not null, key_type integer default 0 not null, value_type integer default 0 not null, key_value text not null, expires integer default 0 not null);
create table number as select * from account;
create table member as select * from account;
create table did as select * from account;
create table prefix as select * from account;
create table emergency as select * from account;
create table location as select * from account;
create table pidf as select * from account;
create table trunk as select * from account;
create table setting as select * from account;
create table address (id integer primary key not null, grp integer default 1 not null, ip_addr varchar(50) not null, mask integer default 32 not null, port smallint default 0 not null, tag varchar(64));
create table uacreg (id integer primary key not null, l_uuid varchar(64) default '' not null, l_username varchar(64) default '' not null, l_domain varchar(64) default '' not null, r_username varchar(64) default '' not null, r_domain varchar(64) default '' not null, realm varchar(64) default '' not null, auth_username varchar(64) default '' not null, auth_password varchar(64) default '' not null, auth_ha1 varchar(128) default '' not null, auth_proxy varchar(255) default '' not null, expires integer default 0 not null, flags integer default 0 not null, reg_delay integer default 0 not null, contact_addr varchar(255) default '' not null, socket varchar(128) default '' not null);
insert into version values ('account', 2), ('number', 2), ('member', 2), ('did', 2), ('prefix', 2), ('emergency', 2), ('location', 2), ('pidf', 2), ('trunk', 2), ('setting', 2), ('address', 6), ('uacreg', 5);
