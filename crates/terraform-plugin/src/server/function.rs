//! Calling functions.

use std::sync::Arc;

use super::RpcServer;
use super::dynamic_value::{decode, encode};
use crate::diagnostics::Diagnostic;
use crate::function::FunctionError;
use crate::protocol::tfplugin6 as wire;
use crate::value::Value;

impl RpcServer {
    pub(super) async fn call_function(
        &self,
        request: wire::call_function::Request,
    ) -> wire::call_function::Response {
        match self.try_call(request).await {
            Ok(result) => wire::call_function::Response {
                result: Some(result),
                error: None,
            },
            Err(error) => wire::call_function::Response {
                result: None,
                error: Some(error.into_wire()),
            },
        }
    }

    async fn try_call(
        &self,
        request: wire::call_function::Request,
    ) -> Result<wire::DynamicValue, FunctionError> {
        let name = &request.name;
        let entry = self.registry().functions.get(name);
        let entry =
            entry.ok_or_else(|| FunctionError::new(format!("There is no function {name:?}.")))?;
        if request.arguments.len() < entry.signature.parameters.len() {
            let needed = entry.signature.parameters.len();
            return Err(FunctionError::new(format!(
                "{needed} arguments are needed."
            )));
        }
        let arguments = request
            .arguments
            .into_iter()
            .enumerate()
            .map(|(position, argument)| {
                let Some(parameter) = entry.signature.parameter(position) else {
                    return Err(FunctionError::argument(
                        position,
                        "This argument is one too many.",
                    ));
                };
                decode(&parameter.ty, Some(argument), "the argument")
                    .map_err(|error| FunctionError::argument(position, error.detail))
            });
        let arguments = arguments.collect::<Result<Vec<Value>, _>>()?;
        let handler = Arc::clone(&entry.handler);
        let operation = async move { handler.call(arguments).await };
        let function_error =
            |error: Diagnostic| FunctionError::new(format!("{}: {}", error.summary, error.detail));
        let cancel = self.stop.operation();
        let result = self
            .guarded("CallFunction", name, cancel, operation)
            .await
            .map_err(function_error)??;
        encode(&entry.signature.result, &result, "the result").map_err(function_error)
    }
}
