//! Kubernetes' addresses and their ranges.

use super::{OBJECT, check};

const ADDRESSES: &[(&str, &str)] = &[
    ("ip(object.ip)", "ip(192.168.0.1)"),
    ("ip('::1')", "ip(::1)"),
    ("ip('2001:DB8::ABCD')", "ip(2001:db8::abcd)"),
    (
        "ip('::ffff:1.2.3.4')",
        "compile: spec.filter:1:1: not an IP address: an IPv4 address in the form of IPv6 is not allowed",
    ),
    (
        "ip('::ffff:0102:0304')",
        "compile: spec.filter:1:1: not an IP address: an IPv4 address in the form of IPv6 is not allowed",
    ),
    ("ip('::1.2.3.4')", "ip(::102:304)"),
    (
        "ip('1.2.3.04')",
        "compile: spec.filter:1:1: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    (
        "ip('1.2.3')",
        "compile: spec.filter:1:1: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    (
        "ip('1.2.3.256')",
        "compile: spec.filter:1:1: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    (
        "ip('fe80::1%eth0')",
        "compile: spec.filter:1:1: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    ("ip('1:2:3:4:5:6:7::')", "ip(1:2:3:4:5:6:7:0)"),
    (
        "ip('1:2:3:4:5:6:7:8:9')",
        "compile: spec.filter:1:1: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    (
        "ip('1::2::3')",
        "compile: spec.filter:1:1: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    (
        "ip('')",
        "compile: spec.filter:1:1: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    ("isIP(object.ip)", "true"),
    ("isIP('nope')", "false"),
    ("isIP('::ffff:1.2.3.4')", "false"),
    ("ip.isCanonical('127.0.0.1')", "true"),
    ("ip.isCanonical('2001:db8::abcd')", "true"),
    ("ip.isCanonical('2001:DB8::ABCD')", "false"),
    ("ip.isCanonical('2001:db8:0:0:1:0:0:1')", "false"),
    ("ip.isCanonical('1:0:0:2:0:0:0:3')", "false"),
    (
        "ip.isCanonical('nope')",
        "compile: spec.filter:1:4: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    ("ip('127.0.0.1').family()", "4"),
    ("ip('::1').family()", "6"),
    ("ip('0.0.0.0').isUnspecified()", "true"),
    ("ip('::').isUnspecified()", "true"),
    ("ip('127.3.4.5').isLoopback()", "true"),
    ("ip('::1').isLoopback()", "true"),
    ("ip('224.0.0.1').isLinkLocalMulticast()", "true"),
    ("ip('224.0.1.1').isLinkLocalMulticast()", "false"),
    ("ip('ff02::1').isLinkLocalMulticast()", "true"),
    ("ip('ff12::1').isLinkLocalMulticast()", "true"),
    ("ip('169.254.1.1').isLinkLocalUnicast()", "true"),
    ("ip('fe80::1').isLinkLocalUnicast()", "true"),
    ("ip('fec0::1').isLinkLocalUnicast()", "false"),
    ("ip('192.168.0.1').isGlobalUnicast()", "true"),
    ("ip('255.255.255.255').isGlobalUnicast()", "false"),
    ("ip('0.0.0.0').isGlobalUnicast()", "false"),
    ("ip('224.0.0.1').isGlobalUnicast()", "false"),
    ("ip('ff00::1').isGlobalUnicast()", "false"),
    ("ip('fd00::1').isGlobalUnicast()", "true"),
    ("ip('::1') == ip('0:0::1')", "true"),
    ("ip('1.2.3.4') == ip('::1')", "false"),
    ("string(ip('2001:DB8:0:0::1'))", r#""2001:db8::1""#),
    ("string(ip('1:0:0:2:0:0:0:3'))", r#""1:0:0:2::3""#),
    ("type(ip('::1')) == net.IP", "true"),
];

const RANGES: &[(&str, &str)] = &[
    ("cidr(object.cidr)", "cidr(192.168.0.0/16)"),
    ("cidr('192.168.0.1/24')", "cidr(192.168.0.1/24)"),
    (
        "cidr('192.168.0.0/33')",
        "compile: spec.filter:1:1: not a CIDR: it must be an address and the length of its prefix, such as 192.168.0.0/16",
    ),
    (
        "cidr('192.168.0.0/024')",
        "compile: spec.filter:1:1: not a CIDR: it must be an address and the length of its prefix, such as 192.168.0.0/16",
    ),
    (
        "cidr('192.168.0.0/+4')",
        "compile: spec.filter:1:1: not a CIDR: it must be an address and the length of its prefix, such as 192.168.0.0/16",
    ),
    (
        "cidr('192.168.0.0')",
        "compile: spec.filter:1:1: not a CIDR: it must be an address and the length of its prefix, such as 192.168.0.0/16",
    ),
    ("cidr('::/0')", "cidr(::/0)"),
    ("cidr('::1/128')", "cidr(::1/128)"),
    (
        "cidr('::1/129')",
        "compile: spec.filter:1:1: not a CIDR: it must be an address and the length of its prefix, such as 192.168.0.0/16",
    ),
    (
        "cidr('::ffff:1.2.3.4/24')",
        "compile: spec.filter:1:1: not an IP address: an IPv4 address in the form of IPv6 is not allowed",
    ),
    (
        "cidr('fe80::1%a/64')",
        "compile: spec.filter:1:1: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    (
        "cidr('1.2.3.4/')",
        "compile: spec.filter:1:1: not a CIDR: it must be an address and the length of its prefix, such as 192.168.0.0/16",
    ),
    ("isCIDR('10.0.0.0/8')", "true"),
    ("isCIDR('10.0.0.0/a')", "false"),
    ("cidr('192.168.0.0/24').containsIP(ip('192.168.0.1'))", "true"),
    ("cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))", "false"),
    ("cidr('192.168.0.0/24').containsIP('192.168.0.1')", "true"),
    ("cidr('192.168.0.0/24').containsIP('::1')", "false"),
    (
        "cidr('192.168.0.0/24').containsIP('nope')",
        "error: not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone",
    ),
    ("cidr('0.0.0.0/0').containsIP('255.1.1.1')", "true"),
    ("cidr('::/0').containsIP('1.1.1.1')", "false"),
    ("cidr('2001:db8::/32').containsIP('2001:db8:1::')", "true"),
    ("cidr('192.168.0.0/16').containsCIDR(cidr('192.168.10.0/24'))", "true"),
    ("cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')", "true"),
    ("cidr('192.168.1.0/24').containsCIDR('192.168.2.0/24')", "false"),
    ("cidr('192.168.1.0/24').containsCIDR('192.168.0.0/16')", "false"),
    ("cidr('0.0.0.0/0').containsCIDR('::/0')", "false"),
    ("cidr('192.168.0.1/24').ip()", "ip(192.168.0.1)"),
    ("cidr('192.168.0.1/24').masked()", "cidr(192.168.0.0/24)"),
    ("cidr('192.168.0.1/24') == cidr('192.168.0.1/24').masked()", "false"),
    ("cidr('192.168.0.0/16').prefixLength()", "16"),
    ("cidr('2001:db8::1/32').masked()", "cidr(2001:db8::/32)"),
    ("string(cidr('192.168.0.1/24'))", r#""192.168.0.1/24""#),
    ("type(cidr('::/0')) == net.CIDR", "true"),
];

#[test]
fn addresses_are_read_and_classified() {
    check(ADDRESSES, OBJECT);
}

#[test]
fn ranges_contain_addresses_and_ranges() {
    check(RANGES, OBJECT);
}
