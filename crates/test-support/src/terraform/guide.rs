//! The blocks of a guide in `docs/guides`, which tests run as they are written.

use crate::repository;
use std::fs;

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Such as `terraform`, `sh` or `json`.
    pub language: String,
    pub text: String,
}

pub struct Guide {
    name: String,
    pub text: String,
    pub blocks: Vec<Block>,
}

impl Guide {
    /// Reads the guide of this name.
    pub fn read(name: &str) -> Self {
        let text = fs::read_to_string(repository().join("docs/guides").join(name)).unwrap();
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for line in text.lines() {
            match line.trim_start().strip_prefix("```") {
                Some(language) => {
                    open = !open;
                    if open {
                        blocks.push(Block {
                            language: language.to_owned(),
                            text: String::new(),
                        });
                    }
                }
                None if open => {
                    let block = blocks.last_mut().unwrap();
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                None => {}
            }
        }
        assert!(!open, "{name}: a block has no end");
        Guide {
            name: name.to_owned(),
            text,
            blocks,
        }
    }

    /// The one block in this language that contains the words.
    pub fn block(&self, language: &str, words: &str) -> &str {
        let mut found = self
            .blocks
            .iter()
            .filter(|block| block.language == language && block.text.contains(words));
        match (found.next(), found.next()) {
            (Some(block), None) => &block.text,
            _ => panic!("{}: not one {language} block with {words:?}", self.name),
        }
    }

    /// The arguments of each command of a program in the block of that words, without quotes.
    pub fn commands(&self, program: &str, words: &str) -> Vec<Vec<String>> {
        let lines = self.block("sh", words).lines();
        let arguments = lines.filter_map(|line| line.strip_prefix(program));
        arguments
            .map(|line| {
                line.split_whitespace()
                    .map(|word| word.trim_matches(['\'', '"']).to_owned())
                    .collect()
            })
            .collect()
    }
}
