//! Never returns, and never calls the host.

fn main() {
    loop {
        std::hint::black_box(());
    }
}
