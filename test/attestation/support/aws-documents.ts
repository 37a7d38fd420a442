/** The two documents of real enclaves, and the root that they chain to. See test/vectors/attestation/PROVENANCE.md. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AWS_NITRO_ROOT_G1_PEM } from '../../../attestation/aws-root.ts';

const folder = new URL('../../vectors/attestation/', import.meta.url);

/** 2022-10-13 08:58:02.136 UTC, with a nonce of 256 bytes. */
export const realDocument: Buffer = readFileSync(new URL('attestation-2022.bin', folder));
export const REAL_TIME_MS = 1665651482136;

/** 2022-10-12 13:50:06.081 UTC: debug mode, PCR0-2 all zero, user data `hello, world!`. */
export const debugDocument: Buffer = readFileSync(new URL('attestation-2022-debug.bin', folder));
export const DEBUG_TIME_MS = 1665582606081;

export const awsRootDer: Buffer = new X509Certificate(AWS_NITRO_ROOT_G1_PEM).raw;
