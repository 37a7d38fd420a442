/** Where data lies, and who watches over all of it. */
import { at, list, ofType, stringsIn } from '../support/look.ts';
import type { Requirement } from './requirement.ts';

const TLS_OR_NOTHING = {
  'rds.force_ssl': '1',
  ssl_min_protocol_version: 'TLSv1.2',
  password_encryption: 'scram-sha-256',
  log_min_error_statement: 'panic',
};

export const DATA: readonly Requirement[] = [
  {
    name: 'forces TLS and SCRAM at a managed database, encrypts it, and keeps a standby or a reader in another zone',
    check: (t, made) => {
      const managed = made.deployment.regions.filter(({ database }) => database.kind !== 'external');
      const groups = [
        ...ofType(made, 'AWS::RDS::DBParameterGroup'),
        ...ofType(made, 'AWS::RDS::DBClusterParameterGroup'),
      ];
      t.equal(groups.length, managed.length);
      for (const { properties } of groups) t.match(properties['Parameters'], TLS_OR_NOTHING);
      const instances = ofType(made, 'AWS::RDS::DBInstance');
      const whole = [
        ...instances.filter(({ properties }) => properties['DBClusterIdentifier'] === undefined),
        ...ofType(made, 'AWS::RDS::DBCluster'),
      ];
      t.equal(whole.length, managed.length);
      for (const { properties } of whole)
        t.match(properties, { StorageEncrypted: true, DeletionProtection: true, ManageMasterUserPassword: true });
      for (const { properties } of instances) t.ok(properties['MultiAZ'] === true || properties['DBClusterIdentifier']);
      t.ok(instances.length === 0 || instances.length >= managed.length);
      t.same(ofType(made, 'AWS::SecretsManager::Secret'), [], 'RDS keeps and changes the password itself');
    },
  },
  {
    name: 'keeps buckets closed, encrypted, versioned and to TLS',
    check: (t, made) => {
      const buckets = ofType(made, 'AWS::S3::Bucket');
      t.ok(buckets.length >= 2);
      for (const { properties } of buckets) {
        t.ok(properties['BucketEncryption']);
        t.match(properties['VersioningConfiguration'], { Status: 'Enabled' });
        t.same(new Set(Object.values(properties['PublicAccessBlockConfiguration'] as object)), new Set([true]));
      }
      for (const { properties } of ofType(made, 'AWS::S3::BucketPolicy'))
        t.ok(
          list(at(properties, 'PolicyDocument', 'Statement')).some(
            (each) => each['Effect'] === 'Deny' && at(each, 'Condition', 'Bool', 'aws:SecureTransport') === 'false',
          ),
        );
    },
  },
  {
    name: 'records every request to KMS where nobody can delete it, and each object of the artifacts',
    check: (t, made) => {
      const [trail, ...more] = ofType(made, 'AWS::CloudTrail::Trail');
      t.same(more, [], 'one for all regions');
      t.match(trail?.properties, { IsMultiRegionTrail: true, EnableLogFileValidation: true, IsLogging: true });
      t.ok(trail?.properties['KMSKeyId']);
      const selectors = list(trail?.properties['EventSelectors']);
      t.ok(selectors.some((each) => each['IncludeManagementEvents'] === true && each['ReadWriteType'] === 'All'));
      t.same(
        selectors.flatMap((each) => stringsIn(each['ExcludeManagementEventSources'])),
        [],
        'KMS among them',
      );
      t.ok(stringsIn(selectors).includes('AWS::S3::Object'));
      const locked = ofType(made, 'AWS::S3::Bucket').filter(
        ({ properties }) => properties['ObjectLockEnabled'] === true,
      );
      t.equal(locked.length, 1);
      t.match(at(locked[0]?.properties, 'ObjectLockConfiguration', 'Rule', 'DefaultRetention'), {
        Mode: 'COMPLIANCE',
        Days: made.deployment.watch.auditDays,
      });
    },
  },
  {
    name: 'raises an alarm when somebody rules over the key, ends it, or asks it without an enclave',
    check: (t, made) => {
      const patterns = ofType(made, 'AWS::Logs::MetricFilter').map(({ properties }) =>
        String(properties['FilterPattern']),
      );
      for (const action of ['PutKeyPolicy', 'ReplicateKey', 'CreateGrant', 'ScheduleKeyDeletion', 'DisableKey'])
        t.ok(
          patterns.some((pattern) => pattern.includes(`"${action}"`)),
          action,
        );
      t.ok(patterns.some((pattern) => pattern.includes('attestationDocumentModuleId NOT EXISTS')));
      for (const { properties } of ofType(made, 'AWS::CloudWatch::Alarm'))
        t.equal(list(properties['AlarmActions']).length, 1);
    },
  },
  {
    name: 'has GuardDuty look at each region, and no code of its own run in the account',
    check: (t, made) => {
      t.equal(ofType(made, 'AWS::GuardDuty::Detector').length, made.deployment.regions.length);
      t.same(
        made.resources.filter(({ type }) => /^(AWS::Lambda::|Custom::|AWS::CloudFormation::Custom)/.test(type)),
        [],
      );
    },
  },
  {
    name: 'lets the services that write use the key of operations, each as AWS’s documentation has it',
    check: (t, made) => {
      for (const { region } of made.deployment.regions) {
        const [key, ...others] = ofType(made, 'AWS::KMS::Key').filter(
          ({ stack }) => stack === `acra-${region}-foundation`,
        );
        t.same(others, []);
        const statements = list(at(key?.properties, 'KeyPolicy', 'Statement'));
        const by = (principal: string) =>
          statements.filter((each) => stringsIn(each['Principal']).includes(principal) && each['Condition']);
        for (const service of [`logs.${region}.amazonaws.com`, 'cloudtrail.amazonaws.com', 'cloudwatch.amazonaws.com'])
          t.equal(by(service).length, 1, service);
        t.match(
          by('arn:aws:iam::111122223333:root').map((each) => at(each, 'Condition', 'ArnEquals', 'aws:PrincipalArn')),
          [/:role\/aws-service-role\/autoscaling\.amazonaws\.com\/AWSServiceRoleForAutoScaling$/],
          'named by a condition: an account without a group has no such role, and no policy may name it',
        );
      }
    },
  },
  {
    name: 'rotates every key of operations',
    check: (t, made) => {
      for (const { properties, id } of ofType(made, 'AWS::KMS::Key'))
        t.equal(properties['EnableKeyRotation'], true, id);
    },
  },
];
