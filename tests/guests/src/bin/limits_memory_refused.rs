//! Asks for a gibibyte, is refused, and lives on.

fn main() {
    let mut buffer: Vec<u8> = Vec::new();
    println!("refused {}", buffer.try_reserve_exact(1 << 30).is_err());
}
