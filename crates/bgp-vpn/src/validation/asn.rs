//! The ASNs that both clouds accept.

/// IANA's reserved numbers are refused on the gateway.
pub(super) fn is_valid_azure_asn(asn: i64) -> bool {
    matches!(asn, 1..4_294_967_295) && !matches!(asn, 23_456 | 64_496..=64_511 | 65_535..=65_551)
}

/// Private numbers, less those that Azure refuses for a peer.
pub(super) fn is_valid_aws_asn(asn: i64) -> bool {
    matches!(asn, 64_512..=65_534 | 4_200_000_000..=4_294_967_294)
        && !matches!(asn, 65_515 | 65_517..=65_520)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validate_asns_of_both_clouds() {
        assert!(is_valid_azure_asn(65_515) && !is_valid_aws_asn(65_515));
        assert!(
            is_valid_azure_asn(65_000)
                && is_valid_aws_asn(64_512)
                && is_valid_aws_asn(4_200_000_000)
        );
        assert!(
            !is_valid_azure_asn(23_456) && !is_valid_azure_asn(65_540) && !is_valid_aws_asn(7_224)
        );
    }
}
