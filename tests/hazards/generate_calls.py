"""Writes a C table with one call of every function that the C header declares.

    generate_calls.py NETWORK_SYSTEM_H [EXPORTED_NAMES]

Each entry calls one function with a handle and a mask of arguments to replace by null pointers; its other arguments are
valid. The hazard programs include the output. EXPORTED_NAMES, if given, is a file with the library's exported symbols,
one a line, which must equal the functions of the table.
"""

import re
import sys

NOUNS = ("context", "server", "client", "session", "config", "resolver", "pool", "lease", "session_manager", "job",
         "bridge")
HANDLES = {f"netsys_{noun}": noun.upper() for noun in NOUNS}

# Arguments that may be null, by name; by function and name where it is not so everywhere.
OPTIONAL = {"needed", "count", "queued", "refused", "userdata", "release", "callbacks", "netsys_context_create.config",
            "netsys_resolver_create.config", "netsys_context_poll.out", "netsys_server_reload_tls.tls"}

# What becomes of what a call made.
CLEAN_UP = {
    "netsys_context_create": "netsys_context_shutdown({out}[0], 0)",
    "netsys_server_start": "netsys_server_destroy({out}[0])",
    "netsys_client_start": "netsys_client_destroy({out}[0])",
    "netsys_session_create": "netsys_session_release({out}[0])",
    "netsys_resolver_create": "netsys_resolver_destroy({out}[0])",
    "netsys_pool_start": "netsys_pool_destroy({out}[0])",
    "netsys_pool_start_with": "netsys_pool_destroy({out}[0])",
    "netsys_pool_acquire": "netsys_lease_release({out}[0])",
    "netsys_session_manager_create": "netsys_session_manager_destroy({out}[0])",
    "netsys_config_create": "netsys_config_destroy({out}[0])",
    "netsys_bridge_create": "netsys_bridge_destroy({out}[0])",
}

# What a callback is given, and the one that ignores it.
IGNORED = {
    "netsys_str": "ignore_text",
    "netsys_local_address": "ignore_local_address",
    "netsys_resolution": "ignore_resolution",
    "netsys_managed_session": "ignore_member",
}

BLOCKS = re.compile(r"(_wait(_connected)?|_resolve|_acquire|_fill)$")
ENDS = re.compile(r"_(shutdown|destroy|stop|close|abort|release|discard|disconnect_all|run|refuse)$")
INTEGERS = {"uint16_t", "uint32_t", "uint64_t", "int32_t", "int64_t", "int", "size_t", "netsys_status", "bool"}
VALUES = {
    "kind": "NETSYS_MESSAGE_TEXT",
    "policy": "NETSYS_SEND_DROP_OLDEST",
    "code": "NETSYS_OK",
    "status": "NETSYS_ERR_TIMEOUT",
    "header_version": "NETSYS_VERSION_NUMBER",
    "fd": "-1",
    "port": "9",
    "family": "NETSYS_FAMILY_ANY",
    "timeout_ms": "0",
    "drain_ms": "0",
    "max_connections": "0",
    "max_message_bytes": "0",
    "max_sessions": "1000",
    "paused": "false",
    "len": "1",
    "count": "1",
    "preset": "NETSYS_PRESET_DEFAULT",
    "format": "NETSYS_FORMAT_TOML",
    "index": "0",
    "value": "0",
    "success": "1",
    "enabled": "1",
    "bytes": "1",
    "latency_ns": "1000",
    "what": "NETSYS_TLS_TEXT_VERSION",
}


class Unknown(Exception):
    pass


def functions(header):
    """(return type, name, [parameter]) of each function the header declares."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header, flags=re.DOTALL)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", " ", text, flags=re.MULTILINE)
    text = re.sub(r'extern\s+"C"\s*\{', " ", text)
    count = 1
    while count:
        text, count = re.subn(r"\{[^{}]*\}", " ", text)
    text = re.sub(r"\b(struct|enum|union)\s", " ", text)
    for statement in text.replace("}", " ").split(";"):
        declaration = re.match(r"\s*([\w\s*]+?)\s*\b(netsys_\w+)\s*\((.*)\)\s*$", statement, flags=re.DOTALL)
        if declaration and not declaration.group(1).startswith("typedef"):
            returns, name, parameters = declaration.groups()
            yield " ".join(returns.split()), name, split_parameters(parameters)


def split_parameters(text):
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    parts = [" ".join(part.split()) for part in parts]
    return [part for part in parts if part and part != "void"]


def default_of(type_name, name, previous):
    """The valid value of a plain argument."""
    if name == "cap":
        return "256" if previous == "char" else "4"
    if name == "size":
        return f"sizeof({previous})"
    if name in VALUES:
        return VALUES[name]
    raise Unknown(f"no value for {type_name} {name}")


def argument(index, parameter, previous):
    """(declarations, expression, whether it can be null, name, type pointed to)."""
    bit = f"nulls & {1 << index}u"
    variable = f"a{index}"
    function = re.match(r"void \(\*(\w+)\)\((.*)\)$", parameter)
    if function:
        given = re.findall(r"netsys_\w+", function.group(2))
        target = IGNORED[given[0]] if given else "ignore_userdata"
        return [], f"({bit}) != 0 ? NULL : {target}", True, function.group(1), None
    match = re.match(r"(const )?(\w+) ?(\**) ?(\w+)$", parameter)
    if not match:
        raise Unknown(parameter)
    const, type_name, stars, name = match.groups()
    null_or = f"({bit}) != 0 ? NULL : "
    if stars == "**" and type_name == "void":
        return [f"void *{variable}[1] = {{NULL}};"], null_or + variable, True, name, None
    if stars == "*":
        if type_name == "void":
            return [], (null_or + '"x"' if const else "NULL"), bool(const), name, None
        if type_name == "netsys_bytes":
            declarations = [f'const netsys_bytes {variable}[1] = {{{{(const uint8_t *)"x", 1}}}};']
            return declarations, null_or + variable, True, name, type_name
        size = 256 if type_name == "char" else 4
        declarations = [f"{type_name} {variable}[{size}];", f"memset({variable}, 0, sizeof {variable});"]
        structs = re.search(r"_(config|callbacks|source|stats|info|managed_session|metrics)$", type_name)
        if structs and type_name not in HANDLES:
            declarations.append(f"{variable}[0].struct_size = sizeof {variable}[0];")
        if type_name == "netsys_client_config" and const:
            declarations.append(f"{variable}[0].host = text_of(0);")
            declarations.append(f"{variable}[0].port = 9;")
        if type_name == "netsys_managed_session":
            declarations.append(f"{variable}[0].last_activity = no_activity;")
            declarations.append(f"{variable}[0].stop = ignore_stop;")
        if type_name == "netsys_pool_source":
            declarations.append(f"{variable}[0].open = no_client;")
        if type_name == "netsys_server_config" and const:
            declarations.append(f"{variable}[0].host = text_of(0);")
        return declarations, null_or + variable, True, name, type_name
    if stars == "" and type_name == "netsys_str":
        return [], f"text_of({bit})", True, name, None
    if stars == "" and type_name in HANDLES:
        return [f"{type_name} {variable};", f"{variable}.id = handle;"], variable, False, name, None
    if stars == "" and type_name in INTEGERS:
        return [], default_of(type_name, name, previous), False, name, None
    raise Unknown(parameter)


def entry(returns, name, parameters):
    """The C text of the call, and its row of the table."""
    body, expressions, nullable, required, kind, previous = [], [], 0, 0, "NONE", None
    for index, parameter in enumerate(parameters):
        lines, expression, can_be_null, parameter_name, previous = argument(index, parameter, previous)
        body += lines
        expressions.append(expression)
        if can_be_null:
            nullable |= 1 << index
            if not {parameter_name, f"{name}.{parameter_name}"} & OPTIONAL:
                required |= 1 << index
        elif parameter.split()[0] in HANDLES:
            kind = HANDLES[parameter.split()[0]]
    call = f"{name}({', '.join(expressions)})"
    if returns == "netsys_status":
        body.append(f"const netsys_status status = {call};")
        if name in CLEAN_UP:
            body.append(f"if (status == NETSYS_OK) {CLEAN_UP[name].format(out=f'a{len(parameters) - 1}')};")
        body.append("return status;")
    else:
        body.append(f"return {call} != 0 ? NETSYS_OK : NETSYS_ERR_INTERNAL;")
    flags = {
        "BLOCKS": BLOCKS.search(name),
        "ENDS": ENDS.search(name),
        "CREATES": name in CLEAN_UP,
        "FAILS": "int fd" in parameters,
    }
    flag_text = " | ".join(f"CALL_{flag}" for flag, holds in flags.items() if holds) or "0"
    lines = [f"static netsys_status call_{name}(uint64_t handle, unsigned nulls) {{", "(void)handle;", "(void)nulls;"]
    row = f'    {{"{name}", HANDLE_{kind}, {nullable}u, {required}u, {flag_text}, call_{name}}},'
    return "\n    ".join(lines + body) + "\n}", row


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        declared = list(functions(file.read()))
    names = [name for _, name, _ in declared]
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as file:
            exported = set(file.read().split())
        difference = exported.symmetric_difference(names)
        if difference:
            sys.exit(f"exported and declared functions differ: {' '.join(sorted(difference))}")
    calls, rows = [], []
    for declaration in declared:
        try:
            call, row = entry(*declaration)
        except Unknown as reason:
            sys.exit(f"{declaration[1]}: cannot make an argument: {reason}")
        calls.append(call)
        rows.append(row)
    print("\n\n".join(calls))
    print("\nstatic const call_entry calls[] = {\n" + "\n".join(rows) + "\n};")


if __name__ == "__main__":
    main()
