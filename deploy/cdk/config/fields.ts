/** Forms of names that AWS has, each with what is allowed, for the file that describes a deployment. */
import { z } from 'zod';
import { REGION } from '../../../config/aws-names.ts';
import { networkFault } from '../../../wire/networks.ts';

const form = (pattern: RegExp, allowed: string) => z.string().regex(pattern, { error: `must be ${allowed}` });

export const account = form(/^\d{12}$/, 'the 12 digits of an account, in quotes');
export const regionName = form(REGION, 'a region, such as eu-central-1');
export const zoneName = form(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}[a-z]$/, 'an availability zone, such as eu-central-1a');
/** Names of stacks, roles, groups and buckets begin with it; a bucket's has 63 characters at most. */
export const prefix = form(
  /^[a-z][a-z0-9-]{0,18}[a-z0-9]$/,
  '2 to 20 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen',
);
export const principal = form(
  /^arn:aws[a-z-]*:iam::\d{12}:(?:user|role)\/[\w+=,.@/-]+$/,
  'the ARN of a user or role, such as arn:aws:iam::111122223333:role/NAME, not the account',
);
export const prefixList = form(/^pl-[0-9a-f]{8,17}$/, 'the ID of a prefix list, such as pl-6ea54007');
export const transitGateway = form(
  /^tgw-[0-9a-f]{8,17}$/,
  'the ID of a transit gateway, such as tgw-0123456789abcdef0',
);
export const sha256 = form(/^[0-9a-f]{64}$/, 'a SHA-256 as 64 hexadecimal digits, as sha256sum prints it');
/** The last label is not all digits, as that of an address is (RFC 3696, section 2). */
export const hostName = form(
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a DNS name in lower case, which the certificate has too, not an address',
);

export const addressOf = (network: string) => network.split('/')[0] ?? network;
export const prefixOf = (network: string) => Number(network.split('/')[1]);

/** Of IPv4, the only family that the VPC has. */
const anyNetwork = z.string().superRefine((text, context) => {
  const fault = text.includes(':') ? 'must be a network of IPv4' : networkFault(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault, continue: false });
});

/** 10.0.0.0/8 is the widest network that is private (RFC 1918); a route to more, or two of half the addresses each, leads to the internet. */
const WIDEST_PREFIX = 8;

export const network = anyNetwork.refine((text) => prefixOf(text) >= WIDEST_PREFIX, {
  error: `must be a network of /${WIDEST_PREFIX} or smaller: nothing here is open, or has a route, to everywhere`,
});

const SMALLEST_VPC_PREFIX = 20;
const LARGEST_VPC_PREFIX = 16;

export const vpcNetwork = anyNetwork.refine(
  (text) => prefixOf(text) >= LARGEST_VPC_PREFIX && prefixOf(text) <= SMALLEST_VPC_PREFIX,
  { error: `must be a network of /${LARGEST_VPC_PREFIX} to /${SMALLEST_VPC_PREFIX}, so that all subnets have room` },
);

export const port = (defaultPort: number) => z.int().min(1).max(65_535).default(defaultPort);
