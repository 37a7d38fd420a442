/** Who may sign requests in the emulated account, named as AWS names them (IAM identifiers). */

/** The account number of AWS's own examples. */
export const ACCOUNT_ID = '111122223333';

/** The account itself: in a key policy it stands for whoever the account's IAM policies allow. */
export const ACCOUNT_ROOT_ARN = `arn:aws:iam::${ACCOUNT_ID}:root`;

export interface Principal {
  /** Who the caller is, as logs and error messages show it. */
  readonly arn: string;
  /** What a key policy names to mean this caller: the user, or the role and not its session. */
  readonly policyArn: string;
  /** Has an IAM policy that allows everything. What a role may do with a key, only the key policy says here. */
  readonly administrator: boolean;
}

export function roleArn(role: string): string {
  return `arn:aws:iam::${ACCOUNT_ID}:role/${role}`;
}

/** A session of a role; for an instance's role the session name is the instance ID. */
export function rolePrincipal(role: string, session: string): Principal {
  return {
    arn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${role}/${session}`,
    policyArn: roleArn(role),
    administrator: false,
  };
}

export function administratorPrincipal(user: string): Principal {
  const arn = `arn:aws:iam::${ACCOUNT_ID}:user/${user}`;
  return { arn, policyArn: arn, administrator: true };
}
