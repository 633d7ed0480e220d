//! The example of embedding runs, and says what it should.

#[path = "../../examples/embed.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own, of which one function is called here")]
mod embed;

#[test]
fn the_embedding_example_counts_open_orders() {
    let lines = embed::open_orders().expect("the example is right");
    assert_eq!(lines, ["shop.orders.open in FR: 1", "shop.orders.open in JP: 1"]);
}
