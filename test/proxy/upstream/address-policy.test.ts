import { describe, expect, it } from 'vitest';
import { createAddressPolicy } from '../../../proxy/upstream/address-policy.ts';

const publicOnly = createAddressPolicy({ allowPrivate: false, allowCidrs: [] });
const withPrivate = createAddressPolicy({ allowPrivate: true, allowCidrs: [] });

describe('the address policy', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
  ])('allows the public address %s', (address) => {
    expect(publicOnly(address, false)).toBe(true);
    expect(withPrivate(address, false)).toBe(true);
  });

  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '100.127.255.255',
    '::1',
    'fc00::1',
    'fd12:3456::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
  ])('allows %s only where private ranges are allowed, and to Services', (address) => {
    expect(publicOnly(address, false)).toBe(false);
    expect(publicOnly(address, true)).toBe(true);
    expect(withPrivate(address, false)).toBe(true);
  });

  it.each([
    // Link-local, metadata services among them, and those of other clouds wherever they are.
    '169.254.169.254',
    '169.254.170.2',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'FD00:0EC2:0:0:0:0:0:254',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    // IPv4 in other disguises.
    '64:ff9b::7f00:1',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    '2001:0:7f00:1::',
    '::127.0.0.1',
    '::7f00:1',
    '::ffff:0:7f00:1',
    // Nobody in particular.
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '255.255.255.255',
    '224.0.0.1',
    'ff02::1',
    '240.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '2001:db8::1',
    'fec0::1',
  ])('never allows %s unasked', (address) => {
    expect(publicOnly(address, false)).toBe(false);
    if (address !== '::127.0.0.1') expect(withPrivate(address, true)).toBe(false);
  });

  it.each([
    '2130706433',
    '134744072',
    '0x08080808',
    '010.8.8.8',
    '8.8.2056',
    '8.526344',
    '0x8.8.8.8',
    '8.8.8.8.',
    ' 8.8.8.8',
    '8.8.8.8/0',
    '[2606:4700::1111]',
    'example.com',
    'localhost',
    '',
  ])('takes %j for no address at all', (address) => {
    expect(publicOnly(address, false)).toBe(false);
    expect(withPrivate(address, true)).toBe(false);
    expect(createAddressPolicy({ allowPrivate: true, allowCidrs: ['0.0.0.0/0', '::/0'] })(address, true)).toBe(false);
  });

  it('allows what a CIDR names, metadata addresses too, and nothing beside it', () => {
    const allows = createAddressPolicy({
      allowPrivate: false,
      allowCidrs: ['10.1.0.0/16', '169.254.169.254/32', 'fd00:ec2::254/128', '100.100.100.200/32'],
    });
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '169.254.169.254', 'fd00:ec2::254', '100.100.100.200']) {
      expect(allows(address, false)).toBe(true);
    }
    for (const address of ['10.2.0.1', '169.254.169.253', 'fd00:ec2::253', '::1']) {
      expect(allows(address, false)).toBe(false);
    }
  });

  it.each(['10.0.0.0', '10.0.0.0/33', 'example.com/8', ''])('refuses to be made with the CIDR %j', (cidr) => {
    expect(() => createAddressPolicy({ allowPrivate: false, allowCidrs: [cidr] })).toThrow();
  });
});
