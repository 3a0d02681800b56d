//! What was built, against its budget.

use anyhow::{Context, bail};

use super::arguments::Arguments;
use super::boards::{self, Board, Budget};
use super::elf::{Elf, Sizes};
use super::output_dir;

/// Shows and checks what was built.
pub fn verb(arguments: &Arguments) -> anyhow::Result<()> {
    check(&boards::named(arguments.all("board"))?)
}

/// Prints the table; too large is a failure.
pub fn check(boards: &[Board]) -> anyhow::Result<()> {
    println!(
        "{:12} {:5} {:>7} {:>6} {:>7}   budget: flash    ram  stack",
        "board", "", "text", "data", "bss"
    );
    let mut over = Vec::new();
    for (board, budget) in boards.iter().flat_map(|b| b.budgets.iter().map(move |budget| (b, budget))) {
        let file = output_dir(&board.name).join(format!("{}.elf", budget.program));
        let bytes = std::fs::read(&file).with_context(|| {
            format!("{} 还没有构建 is missing: cargo xtask firmware build", file.display())
        })?;
        let sizes = Elf::read(&bytes)?.sizes()?;
        println!(
            "{:12} {:5} {:7} {:6} {:7}          {:7} {:6} {:>6}",
            board.name,
            budget.program,
            sizes.text,
            sizes.data,
            sizes.bss,
            budget.flash,
            budget.ram,
            budget.stack.map_or_else(|| "–".to_owned(), |stack| stack.to_string())
        );
        over.extend(exceeds(sizes, budget).map(|what| format!("{} {}: {what}", board.name, budget.program)));
    }
    if over.is_empty() {
        return Ok(());
    }
    bail!(
        "超出预算 over budget: {}. If it must be so, say it in the board's Cargo.toml \
         ([package.metadata.linli.budget])",
        over.join("; ")
    )
}

fn exceeds(sizes: Sizes, budget: &Budget) -> impl Iterator<Item = String> + use<> {
    let flash = (sizes.text + sizes.data, budget.flash, "flash");
    let ram = (sizes.data + sizes.bss, budget.ram, "ram");
    [flash, ram]
        .into_iter()
        .filter(|(needs, may, _)| needs > may)
        .map(|(needs, may, what)| format!("{needs} bytes of {what}, {may} allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_is_told_with_both_numbers() {
        let budget = Budget { program: "node".to_owned(), flash: 100, ram: 50, stack: None };
        let problems = |text, data, bss| exceeds(Sizes { text, data, bss }, &budget).collect::<Vec<_>>();
        assert_eq!(problems(90, 10, 40), Vec::<String>::new());
        assert_eq!(problems(91, 10, 40), ["101 bytes of flash, 100 allowed"]);
        assert_eq!(problems(0, 10, 41), ["51 bytes of ram, 50 allowed"]);
    }
}
