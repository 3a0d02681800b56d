SET synchronous_commit = local;
SELECT 'CREATE ROLE linli LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'linli') \gexec
SELECT 'CREATE ROLE replica LOGIN REPLICATION' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replica') \gexec
ALTER ROLE linli PASSWORD '@DATABASE@';
ALTER ROLE replica PASSWORD '@REPLICATION@';
SELECT 'CREATE DATABASE linli OWNER linli ENCODING UTF8 TEMPLATE template0'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'linli') \gexec
