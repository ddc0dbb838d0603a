//! Functions that configurations may call: pure, offline.

use async_trait::async_trait;

use super::protocol::tfplugin6 as wire;
use super::types::Type;
use super::value::Value;

/// A function.
#[async_trait]
pub trait Function: Send + Sync + 'static {
    /// Parameters, result and documentation.
    fn signature(&self) -> Signature;

    /// Evaluates it. `arguments` holds one value a parameter, then those of the variadic parameter.
    ///
    /// # Errors
    /// What is wrong with the arguments, for the user.
    async fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError>;
}

/// Parameters, result and documentation of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// Parameters in order.
    pub parameters: Vec<Parameter>,
    /// The parameter that all further arguments belong to, if there may be more.
    pub variadic: Option<Parameter>,
    /// Type of the result.
    pub result: Type,
    /// One line.
    pub summary: String,
    /// Markdown.
    pub description: String,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name, for documentation and messages.
    pub name: String,
    /// Type of the argument.
    pub ty: Type,
    /// Whether the argument may be null. Otherwise Terraform refuses null by itself.
    pub allow_null: bool,
    /// Whether the function copes with unknown arguments. Otherwise Terraform takes the result as
    /// unknown by itself.
    pub allow_unknown: bool,
    /// Markdown.
    pub description: String,
}

/// Why a function has no result for these arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FunctionError {
    /// For the user.
    pub text: String,
    /// The invalid argument, from 0; `None` for the call.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// An error of the call.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            argument: None,
        }
    }

    /// An error of one argument, from 0.
    pub fn argument(argument: usize, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            argument: Some(argument),
        }
    }

    pub(crate) fn into_wire(self) -> wire::FunctionError {
        let function_argument = self
            .argument
            .and_then(|argument| i64::try_from(argument).ok());
        wire::FunctionError {
            text: self.text,
            function_argument,
        }
    }
}

impl Parameter {
    /// A parameter that is neither null nor unknown.
    pub fn new(name: impl Into<String>, ty: Type, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ty,
            allow_null: false,
            allow_unknown: false,
            description: description.into(),
        }
    }

    /// Lets the argument be null.
    #[must_use]
    pub fn allow_null(mut self) -> Self {
        self.allow_null = true;
        self
    }

    /// Lets the argument be unknown.
    #[must_use]
    pub fn allow_unknown(mut self) -> Self {
        self.allow_unknown = true;
        self
    }

    fn to_wire(&self) -> wire::function::Parameter {
        wire::function::Parameter {
            name: self.name.clone(),
            r#type: self.ty.to_json(),
            allow_null_value: self.allow_null,
            allow_unknown_values: self.allow_unknown,
            description: self.description.clone(),
            description_kind: wire::StringKind::Markdown.into(),
        }
    }
}

impl Signature {
    /// The parameter that an argument belongs to, from 0.
    pub fn parameter(&self, argument: usize) -> Option<&Parameter> {
        self.parameters.get(argument).or(self.variadic.as_ref())
    }

    pub(crate) fn to_wire(&self) -> wire::Function {
        wire::Function {
            parameters: self.parameters.iter().map(Parameter::to_wire).collect(),
            variadic_parameter: self.variadic.as_ref().map(Parameter::to_wire),
            r#return: Some(wire::function::Return {
                r#type: self.result.to_json(),
            }),
            summary: self.summary.clone(),
            description: self.description.clone(),
            description_kind: wire::StringKind::Markdown.into(),
            deprecation_message: String::new(),
        }
    }
}
