//! A page for a browser that shows a sweep and needs no other file.

use std::fmt::Write;

use super::results::Row;
use super::table::Table;

/// The page: picture, table, and the lines of advice.
pub fn html(title: &str, svg: &str, table: &Table, rows: &[Row], advice: &[String]) -> String {
    let title = escaped(title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>\n\
         body {{ font: 15px/1.5 sans-serif; color: #282828; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}\n\
         svg {{ max-width: 100%; height: auto }}\n\
         table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}\n\
         td, th {{ padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #ddd }}\n\
         tr.front td {{ font-weight: bold }}\n\
         pre {{ white-space: pre-wrap; background: #f5f5f5; padding: .8rem }}\n\
         </style>\n<h1>{title}</h1>\n{svg}\n"
    );
    // Writing to a string does not fail.
    let _ = writeln!(out, "<pre>{}</pre>", escaped(&advice.join("\n")));
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
        cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect()
    };
    let _ = writeln!(out, "<table>\n<tr>{}</tr>", cells("th", &mut table.head.iter().copied()));
    for (row, texts) in rows.iter().zip(&table.rows) {
        let class = if row.on_front { " class=\"front\"" } else { "" };
        let _ = writeln!(out, "<tr{class}>{}</tr>", cells("td", &mut texts.iter().map(String::as_str)));
    }
    out + "</table>\n</html>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_not_markup() {
        let table = Table { head: vec!["a < b"], rows: vec![] };
        let page = html("<b>", "<svg></svg>", &table, &[], &["x & y".to_owned()]);
        assert!(page.contains("<title>&lt;b&gt;</title>") && page.contains("a &lt; b"));
        assert!(page.contains("<svg></svg>") && page.contains("x &amp; y"));
    }
}
