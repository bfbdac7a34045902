//! A sweep's table, for a terminal and for a page.

/// Heads and cells.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// Names of the columns.
    pub head: Vec<&'static str>,
    /// A row's cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Its lines in a terminal, numbers flush with each other on the right, and the last column, of words, on the left.
    pub(super) fn lines(&self) -> Vec<String> {
        let head: Vec<String> = self.head.iter().map(|&name| name.to_owned()).collect();
        let all: Vec<&Vec<String>> = std::iter::once(&head).chain(&self.rows).collect();
        let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |row: &&Vec<String>| {
            let Some((last, cells)) = row.split_last() else { return String::new() };
            let cells = cells.iter().zip(&widths);
            let mut line: String = cells.map(|(cell, &width)| format!("{cell:>width$}  ")).collect();
            line += last;
            line.trim_end().to_owned()
        };
        all.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_flush() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = vec![row(["1", "0.5 ± 0.1", ""]), row(["1,000", "0.9", "front"])];
        let table = Table { head: vec!["n", "accuracy", ""], rows };
        assert_eq!(table.lines(), ["    n   accuracy", "    1  0.5 ± 0.1", "1,000        0.9  front"]);
    }
}
