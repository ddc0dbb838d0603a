# Rejects a link whose IPsec policy is not the preset "strong". Its input is a plan: terraform show -json PLAN.
package terraform.awsazure

import rego.v1

# What the preset means. A single field in the configuration overrides it.
strong := {
	"preset": "strong",
	"ike_encryption": "AES256",
	"ike_integrity": "SHA2-384",
	"dh_group": 20,
	"ipsec_encryption": "AES256-GCM-16",
	"pfs_group": 20,
}

# Links that exist after the apply. A plan shows every link, also those that do not change.
links contains change if {
	some change in input.resource_changes
	change.mode == "managed"
	change.type == "awsazure_bgp_vpn"
	change.change.actions != ["delete"]
}

# A value that is known only after the apply is missing in the plan, and rejected too.
deny contains message if {
	some link in links
	some name, value in strong
	object.get(link.change.after, ["ipsec_policy", name], "not known at plan") != value
	message := sprintf("%s: ipsec_policy.%s differs from the preset strong", [link.address, name])
}
