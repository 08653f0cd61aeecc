//! The page is built by Node before the hub is; say so when it was not.

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=migrations");
    let page = std::path::Path::new("ui/dist/index.html");
    if !page.is_file() {
        println!("cargo::rerun-if-changed=ui/dist/index.html");
        println!(
            "cargo::error=hub/{} is missing: run `make page` first, which builds the live page",
            page.display()
        );
    }
}
