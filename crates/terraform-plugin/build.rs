//! Compiles `proto/` to Rust with protox: no protoc on the build machine.

use std::error::Error;

/// The wire definitions, in the repository's root.
const PROTO: &str = "../../proto";

fn main() -> Result<(), Box<dyn Error>> {
    let files = ["tfplugin6.proto", "plugin.proto", "health.proto"];
    let descriptors = protox::compile(files, [PROTO])?;
    // The client side is for tests, which drive the server over its socket; unused, the linker
    // drops it.
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .build_transport(false)
        .generate_default_stubs(true)
        .compile_fds(descriptors)?;
    for file in files {
        println!("cargo::rerun-if-changed={PROTO}/{file}");
    }
    Ok(())
}
