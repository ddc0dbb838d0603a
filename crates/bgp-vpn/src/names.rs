//! What objects are called. Every name follows from the link's name, unless the user's naming
//! standard says otherwise.

use super::tunnel::{PerInstance, PerTunnel, TunnelKey};

/// Names of what a link makes in Azure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureNames {
    pub gateway: String,
    pub public_ips: PerInstance<String>,
    pub local_gateways: PerTunnel<String>,
    pub connections: PerTunnel<String>,
}

/// `Name` tags of what a link makes in AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsNames {
    pub vpn_gateway: String,
    pub customer_gateways: PerInstance<String>,
    pub vpn_connections: PerInstance<String>,
    pub vpc: String,
    pub internet_gateway: String,
    pub public_subnet: String,
    pub public_route_table: String,
}

impl AzureNames {
    pub fn of(link: &str) -> Self {
        AzureNames {
            gateway: format!("{link}-gateway"),
            public_ips: PerInstance::from_fn(|i| format!("{link}-gateway-ip{}", i.index())),
            local_gateways: PerTunnel::from_fn(|k| format!("{link}-aws-{}", dashed(k))),
            connections: PerTunnel::from_fn(|k| format!("{link}-to-aws-{}", dashed(k))),
        }
    }
}

impl AwsNames {
    pub fn of(link: &str) -> Self {
        AwsNames {
            vpn_gateway: format!("{link}-vgw"),
            customer_gateways: PerInstance::from_fn(|i| format!("{link}-azure-{i}")),
            vpn_connections: PerInstance::from_fn(|i| format!("{link}-to-azure-{i}")),
            vpc: format!("{link}-vpc"),
            internet_gateway: format!("{link}-igw"),
            public_subnet: format!("{link}-public"),
            public_route_table: format!("{link}-public"),
        }
    }
}

fn dashed(key: TunnelKey) -> String {
    format!("instance{}-tunnel{}", key.instance.index(), key.number)
}

/// Why Azure would refuse a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("{name:?} has {} characters, and Azure accepts {least} to {most} here", name.chars().count())]
    Length {
        name: String,
        least: usize,
        most: usize,
    },
    #[error("{name:?} contains {bad:?}, and Azure accepts only letters, digits and {}", if *.group { "'.', '_', '-', '(' and ')'" } else { "'.', '_' and '-'" })]
    Character {
        name: String,
        bad: char,
        group: bool,
    },
    #[error("{0:?} must start with a letter or a digit")]
    Start(String),
    #[error("{0:?} must end with a letter, a digit or '_'")]
    End(String),
    #[error("{0:?} must not end with '.'")]
    EndsWithDot(String),
    #[error("{0:?} must not contain two dots in a row")]
    TwoDots(String),
}

/// Rules for names in `Microsoft.Network` ("Naming rules and restrictions for Azure resources"): 1
/// to 80 characters for gateways, connections and public IPs, 2 to 64 for virtual networks.
///
/// # Errors
/// The first rule that the name breaks.
pub fn check_network_name(name: &str, least: usize, most: usize) -> Result<(), NameError> {
    check_letters(name, least, most, false)?;
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(NameError::Start(name.to_owned()));
    }
    if !name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        return Err(NameError::End(name.to_owned()));
    }
    Ok(())
}

/// Rules for a resource group's name: 1 to 90 characters, brackets allowed, no dot at the end.
///
/// # Errors
/// The first rule that the name breaks.
pub fn check_group_name(name: &str) -> Result<(), NameError> {
    check_letters(name, 1, 90, true)?;
    if name.ends_with('.') {
        Err(NameError::EndsWithDot(name.to_owned()))
    } else {
        Ok(())
    }
}

fn check_letters(name: &str, least: usize, most: usize, group: bool) -> Result<(), NameError> {
    if !(least..=most).contains(&name.chars().count()) {
        return Err(NameError::Length {
            name: name.to_owned(),
            least,
            most,
        });
    }
    // In the path of a request they would lead to another object.
    if name.contains("..") {
        return Err(NameError::TwoDots(name.to_owned()));
    }
    let taken = |c: char| match c {
        '.' | '_' | '-' => true,
        '(' | ')' => group,
        // Resource groups may hold letters of any script.
        c if group => c.is_alphanumeric(),
        c => c.is_ascii_alphanumeric(),
    };
    match name.chars().find(|c| !taken(*c)) {
        Some(bad) => Err(NameError::Character {
            name: name.to_owned(),
            bad,
            group,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reject_invalid_azure_names_with_rule() {
        assert_eq!(check_network_name("VNet1GW", 1, 80), Ok(()));
        assert_eq!(check_network_name("ends_", 1, 80), Ok(()));
        assert!(matches!(
            check_network_name("a b", 1, 80),
            Err(NameError::Character { bad: ' ', .. })
        ));
        assert!(matches!(
            check_network_name("-a", 1, 80),
            Err(NameError::Start(_))
        ));
        assert!(matches!(
            check_network_name("a-", 1, 80),
            Err(NameError::End(_))
        ));
        assert!(matches!(
            check_network_name(&"a".repeat(81), 1, 80),
            Err(NameError::Length { most: 80, .. })
        ));
        assert_eq!(check_group_name("Hub.Net_(Core)-RG"), Ok(()));
        assert!(matches!(
            check_network_name("a..b", 1, 80),
            Err(NameError::TwoDots(_))
        ));
        assert!(matches!(
            check_group_name("..rg"),
            Err(NameError::TwoDots(_))
        ));
        assert!(matches!(
            check_group_name("rg."),
            Err(NameError::EndsWithDot(_))
        ));
    }
}
