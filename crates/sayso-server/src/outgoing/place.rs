//! What kind of place an address is: pure, from tables.
//!
//! An address that carries another is judged by that. What is in no table is public as IPv4, and as
//! IPv6 only in the part that is given out at all.
//!
//! *Source*: IANA's registries of special-purpose IPv4 and IPv6 addresses; RFC 6052 (NAT64), RFC 3056
//! (6to4); the metadata services of AWS, Google, Azure and Alibaba.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What kind of place an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the internet.
    Public,
    /// This machine, or a network that is somebody's own.
    Private,
    /// No place where a service is that we would call.
    Nowhere,
}

impl Place {
    /// The kind of an address.
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        if NOWHERE_V4.iter().any(|network| network.contains(&ip)) {
            Self::Nowhere
        } else if PRIVATE_V4.iter().any(|network| network.contains(&ip)) {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Self {
        if NAT64.contains(&ip) {
            let [.., a, b, c, d] = ip.octets();
            // A translator is no way around what is allowed by its own address.
            return match Self::of_v4(Ipv4Addr::new(a, b, c, d)) {
                Self::Public => Self::Public,
                Self::Private | Self::Nowhere => Self::Nowhere,
            };
        }
        if NOWHERE_V6.iter().any(|network| network.contains(&ip)) {
            Self::Nowhere
        } else if PRIVATE_V6.iter().any(|network| network.contains(&ip)) {
            Self::Private
        } else if GIVEN_OUT_V6.contains(&ip) {
            Self::Public
        } else {
            Self::Nowhere
        }
    }
}

const PRIVATE_V4: [Ipv4Net; 5] = [
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
];

const NOWHERE_V4: [Ipv4Net; 13] = [
    v4([0, 0, 0, 0], 8),
    // Alibaba's metadata, and Azure's.
    v4([100, 100, 100, 200], 32),
    v4([168, 63, 129, 16], 32),
    // Link-local, with the metadata of the other clouds.
    v4([169, 254, 0, 0], 16),
    v4([192, 0, 0, 0], 24),
    // Documentation, relays, measurements.
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    // Multicast, reserved, broadcast.
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    v4([255, 255, 255, 255], 32),
];

const PRIVATE_V6: [Ipv6Net; 2] =
    [v6([0, 0, 0, 0, 0, 0, 0, 1], 128), v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7)];

const NOWHERE_V6: [Ipv6Net; 6] = [
    // The metadata of AWS and of Google, in private networks.
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
    // Protocols, tunnels, benchmarks; documentation, twice; addresses that carry any IPv4 address.
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
];

/// The addresses of IPv4 behind a translator, in their last four bytes.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// Global unicast; all else of IPv6 is link-local, multicast or not given out.
const GIVEN_OUT_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

const fn v4(octets: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(octets), length)
}

const fn v6(segments: [u16; 8], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_segments(segments), length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_network_is_of_its_kind_from_its_first_address_to_its_last() {
        let table = [
            ("9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255", Place::Public),
            ("128.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0", Place::Public),
            (
                "1.0.0.0 8.8.8.8 169.253.255.255 169.255.0.0 223.255.255.255 198.20.0.0",
                Place::Public,
            ),
            ("2a03:2880:f12f::1 2606:4700::1111 2001:4860:4860::8888 3ffe::1", Place::Public),
            ("64:ff9b::8.8.8.8 ::ffff:8.8.8.8", Place::Public),
            ("10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.0", Place::Private),
            (
                "127.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255",
                Place::Private,
            ),
            ("::1 fc00:: fdff:ffff::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1", Place::Private),
            ("0.0.0.0 0.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255", Place::Nowhere),
            (
                "192.0.0.1 192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.0 198.19.255.255",
                Place::Nowhere,
            ),
            ("224.0.0.0 239.255.255.255 240.0.0.0 255.255.255.255", Place::Nowhere),
            ("100.100.100.200 168.63.129.16 192.88.99.1", Place::Nowhere),
            (":: ::2 ::127.0.0.1 fe80::1 febf::1 fec0::1 ff02::1 100::1 5f00::1", Place::Nowhere),
            ("2001:db8::1 3fff::1 2001::1 2001:10::1 2002:808:808::1 4000::1", Place::Nowhere),
            ("64:ff9b::10.0.0.1 64:ff9b::127.0.0.1 64:ff9b:1::8.8.8.8", Place::Nowhere),
            ("fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254", Place::Nowhere),
        ];
        for (addresses, place) in table {
            for text in addresses.split(' ') {
                assert_eq!(Place::of(text.parse().unwrap()), place, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn an_address_of_ipv4_is_the_same_place_however_it_is_carried(bits: u32) {
            let ip = Ipv4Addr::from_bits(bits);
            let place = Place::of(ip.into());
            prop_assert_eq!(Place::of(ip.to_ipv6_mapped().into()), place);
            let [a, b, c, d] = ip.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            let is_public = Place::of(translated.into()) == Place::Public;
            prop_assert_eq!(is_public, place == Place::Public);
            let tunneled = Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1);
            prop_assert_eq!(Place::of(tunneled.into()), Place::Nowhere);
        }

        #[test]
        fn what_the_standard_library_knows_as_special_is_never_public(bits: u32) {
            let ip = Ipv4Addr::from_bits(bits);
            let special = ip.is_private() || ip.is_loopback() || ip.is_link_local()
                || ip.is_broadcast() || ip.is_documentation() || ip.is_unspecified()
                || ip.is_multicast();
            prop_assert!(!special || Place::of(ip.into()) != Place::Public, "{ip}");
        }

        #[test]
        fn only_global_unicast_of_ipv6_and_translated_addresses_are_public(bits: u128) {
            let ip = Ipv6Addr::from_bits(bits);
            let [first, ..] = ip.segments();
            let special = ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_multicast();
            if special || first & 0xe000 != 0x2000 {
                prop_assert_ne!(Place::of(ip.into()), Place::Public, "{}", ip);
            }
        }
    }
}
