/** The list against which tricky targets are judged, and what a judge may say. */

export type TrickyVerdict = 'allowed' | 'unlisted' | 'denied' | 'address' | 'malformed';
export type TrickyTarget = readonly [authority: string, verdict: TrickyVerdict, why: string];

export const TRICKY_LIST = {
  allow: [
    'api.example.com',
    '*.one.example.com',
    '**.deep.example.com:8000-8010',
    'sts.*.aws.example.com',
    '_srv.example.com',
    'xn--mnchen-3ya.example.com:443',
    '192.0.2.10',
    '198.51.100.0/24:1-65535',
    '10.0.0.0/8:6000',
    '[2001:db8::/32]:443',
    '0.0.0.0/0:7000',
    '[::/0]:7000',
    '127.0.0.1:7100',
    '169.254.169.253:53',
  ],
  deny: [
    'bad.deep.example.com:1-65535',
    '**.BAD.deep.example.com:1-65535',
    '198.51.100.66:1-65535',
    '10.9.0.0/16:1-65535',
    '[2001:db8:bad::/48]:1-65535',
  ],
};
