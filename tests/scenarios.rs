//! Every file in `scenarios/` loads, and says nothing unexpected.

use std::path::Path;

use brimline::scenario::{demo, load};

#[test]
fn show() {
    for name in ["slash19-article", "slash19-defaults", "teaching-slash26", "two-vswitches"] {
        match load(Path::new(&format!("scenarios/{name}.yaml"))) {
            Ok(loaded) => {
                println!("{}", loaded.model.question);
                for w in &loaded.warnings {
                    println!("{w}\n");
                }
                for s in &loaded.settings {
                    println!("{s:?}");
                }
            }
            Err(e) => println!("{e}"),
        }
    }
    assert!(demo().is_ok());
}
