-- The database of the store, and the role of workers and commands: docs/state.md.
\getenv password STORE_PASSWORD
CREATE ROLE ostinato LOGIN PASSWORD :'password';
CREATE DATABASE ostinato OWNER ostinato ENCODING 'UTF8' TEMPLATE template0;
