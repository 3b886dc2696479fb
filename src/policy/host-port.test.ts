import { expect, test } from 'vitest';
import { parseHostPort, printHostPort } from './host-port.js';

test.for([
  ['10.0.0.7:5432', { host: '10.0.0.7', port: 5432 }],
  ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ['db.internal:65535', { host: 'db.internal', port: 65535 }],
  ['DB_1.Internal:1', { host: 'db_1.internal', port: 1 }],
  ['1password.example:443', { host: '1password.example', port: 443 }],
  ['[::1]:8080', { host: '::1', port: 8080 }],
  ['[2001:DB8::1]:8080', { host: '2001:db8::1', port: 8080 }],
] as const)('%s can be read', ([text, address]) => {
  expect(parseHostPort(text)).toEqual(address);
  expect(printHostPort(address)).toBe(text.toLowerCase());
});

test.for([
  '',
  'host',
  ':80',
  'host:',
  'host:65536',
  'host:080',
  'host:+80',
  'host:8e1',
  'host:80 ',
  'host:80\n',
  'ho st:80',
  'host.:80',
  '.host:80',
  'user@host:80',
  'http://host:80',
  'host:80/path',
  '10.1:80',
  '010.1.2.3:80',
  '256.1.2.3:80',
  '2130706433:80',
  '0x7f.1:80',
  '0x7f000001:80',
  '::1:80',
  '[::1]',
  '[::g]:80',
  '[1.2.3.4]:80',
  `${'a'.repeat(254)}:80`,
])('%j is not host:port', (text) => {
  expect(parseHostPort(text)).toBeNull();
});
