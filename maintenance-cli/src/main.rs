//! The binary `maintenance`.

fn main() -> std::process::ExitCode {
    maintenance_mode_cli::run(std::env::args_os())
}
