/**
 * Settings of a managed PostgreSQL: TLS or no connection, SCRAM or no login, and no failed statement with its values in the log
 * (docs/threat-model.md, "Whoever holds the database can"). Amazon RDS user guide, "Requiring an SSL connection to a PostgreSQL DB instance".
 */
export const DATABASE_PARAMETERS: Readonly<Record<string, string>> = {
  'rds.force_ssl': '1',
  ssl_min_protocol_version: 'TLSv1.2',
  password_encryption: 'scram-sha-256',
  'rds.accepted_password_auth_method': 'scram',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_connections: '1',
  log_disconnections: '1',
};

/** Of the certificate that it shows: of the region's bundle, which belongs into the measured folder as database.ca. */
export const DATABASE_CA = 'rds-ca-rsa2048-g1';

/** `17` of `17.6`. */
export const majorOf = (engineVersion: string) => engineVersion.split('.')[0] ?? engineVersion;
