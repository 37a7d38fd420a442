/** What stands where people must decide: nothing that `config check` takes, so that it cannot be forgotten. */
export const PLACEHOLDERS = {
  serverName: '<NAME OF THE SERVER>',
  region: '<REGION>',
  keyArn: 'arn:aws:kms:<REGION>:<ACCOUNT>:key/<ID>',
} as const;
