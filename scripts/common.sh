# Functions that several scripts need.

# The repository's root, absolute: scripts change directory.
root=$(CDPATH="" cd -- "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The folder that cargo builds into, absolute, and the folder of the one profile that demo and tests share. Cargo itself reports
# it, because it may also be set in cargo's configuration.
target_dir() {
  (cd "$root" && cargo metadata --no-deps --format-version 1) | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}
build_dir() { printf '%s/debug' "$(target_dir)"; }

version() { sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1; }

# Terraform's name for this machine, such as linux_amd64.
platform() {
  local os arch
  os=$(uname -s | tr '[:upper:]' '[:lower:]')
  case "$(uname -m)" in
    x86_64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) arch=$(uname -m) ;;
  esac
  printf '%s_%s' "$os" "$arch"
}

# The command line client: $TERRAFORM, terraform or tofu, whichever there is first.
find_terraform() {
  local candidate
  for candidate in "${TERRAFORM:-}" terraform tofu; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# Names what is missing of the given commands, each with the command that installs it.
need() {
  local missing=0 tool
  for tool in "$@"; do
    case "$tool" in
      cargo)
        command -v cargo >/dev/null 2>&1 && continue
        echo "missing: Rust. Install it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" >&2
        ;;
      cc)
        command -v cc >/dev/null 2>&1 && continue
        echo "missing: a C compiler. Install it with: sudo apt-get install --yes gcc libc6-dev (or: xcode-select --install)" >&2
        ;;
      terraform)
        find_terraform >/dev/null && continue
        echo "missing: terraform or tofu. Install one with: https://developer.hashicorp.com/terraform/install, or: sudo snap install --classic opentofu" >&2
        ;;
    esac
    missing=1
  done
  return "$missing"
}

# Puts the built provider into a filesystem mirror: mirror FOLDER. OpenTofu looks under its own registry's name.
mirror() {
  local place registry built
  built=$(build_dir)
  for registry in registry.terraform.io registry.opentofu.org; do
    place="$1/$registry/awsazure/awsazure/$(version)/$(platform)"
    mkdir -p "$place"
    ln -f "$built/terraform-provider-awsazure" "$place/terraform-provider-awsazure_v$(version)" 2>/dev/null ||
      cp -f "$built/terraform-provider-awsazure" "$place/terraform-provider-awsazure_v$(version)"
  done
}
