"""Prints what the official packages say of both APIs, as JSON: botocore's EC2 service model, and the models, enums and operations
of azure-mgmt-network. The sandbox's condensed schemas are compared with it.
"""

import ast
import gzip
import json
import pathlib

import azure.mgmt.network
import botocore


def ec2():
    folder = pathlib.Path(botocore.__file__).parent / "data" / "ec2" / "2016-11-15"
    packed = folder / "service-2.json.gz"
    text = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / "service-2.json").read_bytes()
    model = json.loads(text)
    return {"operations": model["operations"], "shapes": model["shapes"]}


def tree(name):
    return ast.parse((pathlib.Path(azure.mgmt.network.__file__).parent / name).read_text()).body


def annotation(node):
    """The annotation without quotes and without the module of a name."""
    text = ast.unparse(node).replace("'", "").replace('"', "")
    return text.replace("_models.", "").replace("List[", "list[").replace("Dict[", "dict[")


def models():
    found = {}
    for item in tree("models/_models.py"):
        if not isinstance(item, ast.ClassDef):
            continue
        props = {}
        for line in item.body:
            call = getattr(line, "value", None)
            is_field = isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("rest_field", "rest_discriminator")
            if not isinstance(line, ast.AnnAssign) or not is_field:
                continue
            arguments = {keyword.arg: keyword.value for keyword in call.keywords}
            name = ast.literal_eval(arguments["name"]) if "name" in arguments else line.target.id
            type_text = annotation(line.annotation)
            props[name] = {"type": type_text, "required": not type_text.startswith("Optional[")}
        found[item.name] = {"bases": [ast.unparse(base).split(".")[-1] for base in item.bases], "props": props}
    return found


def enums():
    found = {}
    for item in tree("models/_enums.py"):
        if isinstance(item, ast.ClassDef):
            found[item.name] = [line.value.value for line in item.body if isinstance(line, ast.Assign)]
    return found


def operations():
    """Each request builder with its query parameters, and the statuses and headers of the method that first sends it."""
    found = {}
    classes = []
    for item in tree("operations/_operations.py"):
        if isinstance(item, ast.ClassDef):
            classes.append(item)
        if not isinstance(item, ast.FunctionDef) or not item.name.startswith("build_"):
            continue
        query = []
        for node in ast.walk(item):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("_params["):
                query.append(ast.literal_eval(node.targets[0].slice))
        found[item.name.removeprefix("build_")] = {"query": query}
    for group in classes:
        for method in group.body:
            if not isinstance(method, ast.FunctionDef):
                continue
            calls = [node for node in ast.walk(method) if isinstance(node, ast.Call)]
            names = [getattr(call.func, "id", "") for call in calls]
            built = [name.removeprefix("build_") for name in names if name.startswith("build_")]
            statuses, headers = [], []
            for node in ast.walk(method):
                if isinstance(node, ast.Compare) and ast.unparse(node.left) == "response.status_code":
                    if isinstance(node.ops[0], ast.NotIn) and not statuses:
                        statuses = ast.literal_eval(node.comparators[0])
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("response_headers["):
                    header = ast.literal_eval(node.targets[0].slice)
                    headers += [header] if header not in headers else []
            if built and statuses and "status" not in found[built[0]]:
                found[built[0]].update(status=", ".join(map(str, statuses)), resp_headers=headers)
    return found


print(json.dumps({"ec2": ec2(), "models": models(), "enums": enums(), "operations": operations()}))
