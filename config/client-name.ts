/**
 * How enclave.yaml names a client: by what acra-server makes its client id of, the subject of its certificate or the serial number
 * (`acra.clientIdFrom`; acra/client-id.ts). Names are compared as text, so each has one spelling; another would name nobody.
 */
import { canonicalName } from '../encoding/distinguished-name.ts';

const PRINT_IT = '`acra-enclave keys client-name CERTIFICATE` prints it';

/** Whole bytes in capital digits, none of them in front that is zero: as OpenSSL prints it. Undefined for what is no such number. */
function canonicalSerial(text: string): string | undefined {
  const digits = text.replace(/^0x|[: ]/gi, '').toUpperCase();
  if (!/^[0-9A-F]*[1-9A-F][0-9A-F]*$/.test(digits)) return undefined;
  const number = digits.replace(/^0+/, '');
  return number.length % 2 === 0 ? number : `0${number}`;
}

/** For people; undefined for a name in its right spelling. */
export function clientNameFault(name: string, from: 'distinguished_name' | 'serial_number'): string | undefined {
  const isSubject = from === 'distinguished_name';
  const right = isSubject ? canonicalName(name) : canonicalSerial(name);
  if (right === name) return undefined;
  if (right !== undefined) return `must be spelt "${right}", as acra-server takes it from the certificate; ${PRINT_IT}`;
  const what = isSubject
    ? 'the subject of a client certificate, such as "CN=billing,O=Example"'
    : 'a serial number in hex';
  return `must be ${what} (acra.clientIdFrom: ${from}); ${PRINT_IT}`;
}
