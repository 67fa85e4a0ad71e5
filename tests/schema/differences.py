"""The cases where Vend differs from Cog's generator on purpose, each with the whole answer."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Union

Json = dict[str, Any]

ROWS = {
    "none-default": "a None default in Input() makes any type optional and nullable",
    "any-default": "a default makes the input optional; a value that cannot be read is not shown",
    "input-arguments": "Input(3) and Input(**COMMON) are honoured",
    "text": "text is the string that Python would make",
    "text-limits": "patterns and choices are the string that Python would make",
    "constants": "limits and flags may come from constants",
    "choices": "choices that can be worked out are resolved, never shortened",
    "choices-components": "a list gets the choices on its items; no component is overwritten",
    "document": "a default that does not fit its schema is refused",
    "aliases": "every alias that Python accepts is accepted",
    "types": "Literal, Enum, type aliases, Annotated and a bare list are accepted as inputs",
    "models": "outputs may be what the runtime can serialise",
    "modules": "project modules are found as Python finds them",
    "parameters": "untyped parameters pass anything; self may be typed; * and ** are refused",
    "runtime-choice": "run and predict together are refused; the last definition counts",
    "names": "a name that is not there is refused; methods are inherited as in Python",
    "syntax": "what Python cannot compile is refused with its message and line",
}


@dataclass(frozen=True)
class SameAs:
    """The generator's answer for another case, which writes Optional[T]."""

    row: str
    case: str


@dataclass(frozen=True)
class Accept:
    """The whole answer; `warnings` are parts of the expected messages, in order."""

    row: str
    schemas: Json
    warnings: tuple[str, ...] = ()
    is_async: bool = False


@dataclass(frozen=True)
class Refuse:
    """The only kind of error, the line of the first one, and parts of its message."""

    row: str
    kind: str
    line: int
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ByVersion:
    """One answer below Python 3.12 and another from there on."""

    row: str
    before: Union[Accept, Refuse]
    since: Union[Accept, Refuse]


Difference = Union[SameAs, Accept, Refuse, ByVersion]


@dataclass(frozen=True)
class Prop:
    schema: Json
    required: bool


def need(**schema: Any) -> Prop:
    return Prop(schema, True)


def may(**schema: Any) -> Prop:
    return Prop(schema, False)


def pick(component: str, **more: Any) -> Json:
    return {"allOf": [{"$ref": f"#/components/schemas/{component}"}], **more}


def inputs(component: str = "Input", /, **props: Prop) -> Json:
    """An Input schema; adds to each property its x-order, and a title unless it picks a choice."""
    properties: Json = {}
    for order, (name, prop) in enumerate(props.items()):
        titled = {} if "allOf" in prop.schema else {"title": name[0].upper() + name[1:]}
        properties[name] = {**titled, **prop.schema, "x-order": order}
    schema: Json = {"title": component, "type": "object", "properties": properties}
    required = [name for name, prop in props.items() if prop.required]
    return {**schema, "required": required} if required else schema


def model(**props: Prop) -> Json:
    """A written-out class, as the type of an output or a field."""
    schema: Json = {
        "type": "object",
        "properties": {
            name: {"title": name[0].upper() + name[1:], **prop.schema}
            for name, prop in props.items()
        },
    }
    required = [name for name, prop in props.items() if prop.required]
    return {**schema, "required": required} if required else schema


def choices(title: str, values: list[Any], kind: str = "string") -> Json:
    return {"title": title, "description": "An enumeration.", "enum": values, "type": kind}


def output(**schema: Any) -> Json:
    return {"title": "Output", **schema}


TEXT: Json = {"title": "Output", "type": "string"}
URI: Json = {"type": "string", "format": "uri"}
N_1 = inputs(n=may(type="integer", default=1))


def takes(**props: Prop) -> Json:
    return {"Input": inputs(**props), "Output": TEXT}


def returns(**schema: Any) -> Json:
    return {"Input": inputs(), "Output": output(**schema)}


def one_choice(row: str, name: str, values: list[Any], *warnings: str, **more: Any) -> Accept:
    """One required parameter that picks from `values`."""
    schemas = {**takes(**{name: need(**pick(name))}), name: choices(name, values, **more)}
    return Accept(row, schemas, warnings)


NOT_SHOWN = "is not shown"
INNER = model(x=need(type="integer"))
RESULT = output(**model(inner=need(**INNER), image=need(**URI)))
SECOND_FILE = Accept("modules", {"Input": N_1, "Output": RESULT})
FAST_OR_SLOW = choices("mode", ["fast", "slow"])

DEFAULTS: dict[str, Difference] = {
    "none_default_int": SameAs("none-default", "optional_twin_int"),
    "none_default_mixed": SameAs("none-default", "optional_twin_mixed"),
    "none_default_choices": SameAs("none-default", "optional_twin_choices"),
    "none_default_union": SameAs("none-default", "optional_twin_union"),
    "train_function": SameAs("none-default", "train_function_twin"),
    "none_default_without_input_call": Accept(
        "any-default",
        takes(
            style=may(type="string", nullable=True, default=None),
            image=may(**URI, nullable=True, default=None),
        ),
    ),
    "default_int_too_big_in_input": Accept(
        "any-default", takes(seed=may(type="integer")), ("does not fit in 64 bits",)
    ),
    "default_int_too_big_bare": Accept(
        "any-default", takes(seed=may(type="integer")), ("does not fit in 64 bits",)
    ),
    "default_constant_in_if": Accept("any-default", takes(n=may(type="integer")), (NOT_SHOWN,)),
    "default_constant_in_if_bare": Accept(
        "any-default", takes(n=may(type="integer")), (NOT_SHOWN,)
    ),
    "default_computed_in_input": Accept(
        "any-default",
        takes(
            n=may(type="integer", default=64),
            s=may(type="string"),
            f=may(type="number", default=1 / 3),
        ),
        ("os.environ.get('NAME', 'x')",),
    ),
    "default_computed_bare": Accept("any-default", takes(n=may(type="integer", default=64))),
    "default_computed_optional": Accept(
        "any-default", takes(n=may(type="integer", nullable=True, default=64))
    ),
    "default_ellipsis": Accept("any-default", takes(n=may(type="integer")), (NOT_SHOWN,)),
    "default_float_inf": Accept("any-default", takes(f=may(type="number")), ("inf is not",)),
    "default_fstring_bare": Accept("any-default", takes(s=may(type="string", default="x1"))),
    "default_attribute_of_class": Accept(
        "any-default", takes(n=may(type="integer", default=9))
    ),
    "default_imported_constant": Accept("any-default", takes(n=may(type="integer", default=4))),
    "default_imported_constant_bare": Accept(
        "any-default", takes(n=may(type="integer", default=4))
    ),
    "path_call_default": Accept("any-default", takes(other=may(**URI)), (NOT_SHOWN,)),
    "path_call_default_in_input": Accept("any-default", takes(other=may(**URI)), (NOT_SHOWN,)),
    "input_attribute_reference": Accept(
        "any-default",
        takes(
            caption=may(type="string", default="a wren", description="text"),
            steps=may(type="integer", default=9, description="steps", minimum=1, maximum=50),
            more=may(type="integer", default=4, description="steps", minimum=1, maximum=50),
        ),
    ),
    "input_from_helper_function": Accept(
        "any-default", takes(steps=may(type="integer", default=4))
    ),
    "input_from_module_variable": Accept(
        "any-default", takes(steps=may(type="integer", default=4))
    ),
    "default_positional": Accept(
        "input-arguments",
        takes(
            caption=may(type="string", default="a red kite", description="what to draw"),
            n=may(type="integer", default=3),
        ),
    ),
    "input_splat_kwargs": Accept(
        "input-arguments",
        takes(steps=may(type="integer", default=4, minimum=1, description="n")),
    ),
}

TEXTS: dict[str, Difference] = {
    "default_string_forms": Accept(
        "text",
        takes(
            a=may(type="string", default="single"),
            b=may(type="string", default="triple\nline"),
            c=may(type="string", default="raw\\d"),
            d=may(type="string", default="tab\tend"),
            e=may(type="string", default="left right"),
            f=may(type="string", default="x1"),
            g=may(type="string", default=""),
            h=may(type="string", default="café é"),
            i=may(type="string", default="it's"),
        ),
    ),
    "description_forms": Accept(
        "text",
        takes(
            a=need(type="string", description="plain"),
            b=need(type="string", description='single "quoted" word'),
            c=need(type="string", description="triple\n        indented"),
            d=need(type="string", description="raw \\n"),
            e=need(type="string", description="line\nbreak"),
            f=need(type="string", description="from a constant"),
            g=need(type="string", description=""),
            h=need(type="string", description="ünï ☂"),
        ),
    ),
    "description_implicit_concat": Accept(
        "text",
        takes(
            a=need(type="string", description="left right"),
            b=need(type="string", description="first half, second half"),
            c=need(type="string", description="in parens"),
        ),
    ),
    "description_plus_and_calls": Accept(
        "text",
        takes(
            a=need(type="string", description="left right"),
            b=need(type="string", description="pad"),
            c=need(type="string", description="n=4"),
            d=need(type="string", description="a"),
        ),
    ),
    "description_fstring_and_prefixes": Accept(
        "text",
        takes(
            a=need(type="string", description="top 3"),
            b=need(type="string", description="uni"),
            c=need(type="string", description="big raw"),
            d=need(type="string", description="xy"),
            e=need(type="string", description="ab"),
            f=need(type="string", description="paren"),
            g=need(type="string", description="raw triple"),
        ),
    ),
    "description_constant_concat": Accept(
        "text", takes(a=need(type="string", description="one two"))
    ),
    "length_and_regex": Accept(
        "text-limits",
        takes(
            code=need(type="string", minLength=2, maxLength=8, pattern="^[a-z]+$"),
            num=may(type="string", default="1", pattern=r"^\d+$"),
            esc=need(type="string", pattern=r"^\d+$"),
            cat=need(type="string", pattern="^ab$"),
            trip=need(type="string", pattern="^x$"),
        ),
    ),
    "choices_strings_raw_source": Accept(
        "text-limits",
        {
            **takes(sep=may(**pick("sep", default="\n"))),
            "sep": choices("sep", ["\n", "\t", "ab", "\\d"]),
        },
    ),
}

LIMITS: dict[str, Difference] = {
    "bounds_int_float": Accept(
        "constants",
        takes(
            a=need(type="integer", minimum=0, maximum=10),
            b=may(type="number", default=0.5, minimum=-1.5, maximum=100),
            c=may(type="integer", default=5, maximum=1000),
            d=need(type="integer", minimum=16),
        ),
    ),
    "bounds_from_constant": Accept(
        "constants", takes(a=may(type="integer", default=1, minimum=0, maximum=9))
    ),
    "bounds_computed": Accept(
        "constants", takes(a=may(type="integer", default=1, minimum=1, maximum=256))
    ),
    "regex_from_constant": Accept(
        "constants", takes(code=need(type="string", minLength=3, pattern="^a$"))
    ),
    "deprecated_flag": Accept(
        "constants",
        takes(
            old=may(type="integer", default=1, deprecated=True),
            new=may(type="integer", default=1),
            odd=may(type="integer", default=1, deprecated=True),
        ),
    ),
    "scalar_float_with_int_default": Refuse("document", "document_invalid", 9, ("'n'", "2.5")),
    "default_type_mismatch": Refuse("document", "document_invalid", 8, ("'n'", "'many'")),
    "choices_default_outside": Refuse(
        "document", "document_invalid", 8, ("'mode'", "'turbo'", "'fast', 'slow'")
    ),
}

CHOICES: dict[str, Difference] = {
    "choices_list_plus_list": Accept(
        "choices",
        {
            **takes(mode=need(**pick("mode")), m2=need(**pick("m2"))),
            "mode": choices("mode", ["auto", "fast", "slow"]),
            "m2": choices("m2", ["fast", "slow", "k", "z"]),
        },
    ),
    "choices_dict_with_opaque_values": one_choice("choices", "size", ["s", "m", "l"]),
    "choices_tuple_literal": one_choice("choices", "mode", ["fast", "slow"]),
    "choices_list_of_dict": one_choice("choices", "mode", ["s"]),
    "choices_keys_without_list": one_choice("choices", "mode", ["s"]),
    "choices_sorted_call": one_choice("choices", "mode", ["a", "b"]),
    "choices_comprehension": one_choice("choices", "mode", ["v0", "v1", "v2"]),
    "choices_range": one_choice("choices", "mode", [0, 1, 2], "the choice 0 of 'mode'"),
    "choices_star_list": one_choice("choices", "mode", ["fast", "z"]),
    "choices_list_with_names": one_choice("choices", "mode", ["a", "b"]),
    "choices_enum_members": one_choice("choices", "mode", ["a"]),
    "choices_class_attribute": one_choice("choices", "mode", ["a"]),
    "choices_imported_constant": one_choice("choices", "mode", ["a", "b"]),
    "choices_on_list_type": Accept(
        "choices-components",
        {
            **takes(
                modes=may(
                    type="array", items={"$ref": "#/components/schemas/modes"}, default=["fast"]
                )
            ),
            "modes": choices("modes", ["fast", "slow"]),
        },
    ),
    "choices_name_clashes_status": Accept(
        "choices-components",
        {
            **takes(Status=may(**pick("Status_choices", default="a"))),
            "Status_choices": choices("Status", ["a", "b"]),
        },
    ),
    "choices_name_clashes_input": Accept(
        "choices-components",
        {
            **takes(
                Input_=may(**pick("Input_", default="a")),
                Output=may(**pick("Output_choices", default="a")),
                Input=may(**pick("Input_choices", default="q")),
            ),
            "Input_": choices("Input_", ["a"]),
            "Output_choices": choices("Output", ["a", "b"]),
            "Input_choices": choices("Input", ["q"]),
        },
    ),
    "predict_and_train_choice_clash": Accept(
        "choices-components",
        {
            "Input": inputs(
                text=need(type="string"), mode=may(**pick("mode", default="fast"))
            ),
            "Output": output(**URI),
            "TrainingInput": inputs(
                "TrainingInput",
                data=need(**URI),
                mode=may(**pick("mode_choices", default="style")),
                kind=need(**pick("kind")),
            ),
            "TrainingOutput": output(**model(weights=need(**URI))),
            "mode": FAST_OR_SLOW,
            "mode_choices": choices("mode", ["style", "face"]),
            "kind": choices("kind", ["k"]),
        },
    ),
}

TYPES: dict[str, Difference] = {
    "import_cog_input_call": Accept(
        "aliases", takes(n=may(type="integer", default=2, minimum=1))
    ),
    "import_path_alias": Accept("aliases", takes(image=need(**URI))),
    "import_path_alias_output": Accept(
        "aliases", {"Input": inputs(n=need(type="integer")), "Output": output(**URI)}
    ),
    "import_optional_alias": Accept(
        "aliases", takes(n=may(type="integer", nullable=True, default=None))
    ),
    "bare_list_input": Accept("types", takes(names=need(type="array", items={}))),
    "bare_typing_list_input": Accept("types", takes(names=need(type="array", items={}))),
    "literal_input": Accept(
        "types", {**takes(mode=may(**pick("mode", default="fast"))), "mode": FAST_OR_SLOW}
    ),
    "enum_input": Accept(
        "types", {**takes(mode=may(**pick("mode", default="fast"))), "mode": FAST_OR_SLOW}
    ),
    "type_alias_input": Accept("types", takes(n=may(type="integer", default=3))),
    "type_alias_output": Accept("types", returns(type="array", items={"type": "string"})),
    "newtype_input": Accept("types", takes(n=need(type="integer"))),
    "annotated_plain": Accept(
        "types",
        takes(
            n=may(type="integer", default=3),
            m=may(type="string", nullable=True, default=None),
        ),
    ),
    "annotated_input_metadata": Accept(
        "types", takes(n=may(type="integer", default=3)), ("Cog ignores Input() inside Annotated",)
    ),
    "type_statement_and_generics": ByVersion(
        "types",
        Refuse("syntax", "parse", 1, ("invalid syntax",)),
        Accept("types", takes(n=may(type="integer", default=1))),
    ),
    "output_enum": Accept(
        "models", {"Input": N_1, "Output": output(type="string", enum=["a"])}
    ),
    "output_dataclass": Accept(
        "models",
        {
            "Input": N_1,
            "Output": output(**model(x=need(type="integer"), label=may(type="string"))),
        },
    ),
    "model_subclass_of_model": Accept(
        "models", returns(**model(a=need(type="integer"), b=need(type="integer")))
    ),
    "model_enum_field": Accept(
        "models", returns(**model(mode=need(type="string", enum=["a"])))
    ),
    "model_inside_class": Accept("models", returns(**model(a=need(type="integer")))),
    "typeddict_functional": Accept("models", returns(**model(name=need(type="string")))),
    "namedtuple_output": Accept(
        "models", returns(type="array", items={"type": "string"}, minItems=1, maxItems=1)
    ),
}

MODULES: dict[str, Difference] = {
    "second_file_module": SECOND_FILE,
    "second_file_module_alias": SECOND_FILE,
    "second_file_package_reexport": SECOND_FILE,
    "second_file_package_direct_init": SECOND_FILE,
    "second_file_star": SECOND_FILE,
    "second_file_in_try": SECOND_FILE,
    "second_file_named_like_library": SECOND_FILE,
    "second_file_dataclass": Accept("models", {"Input": N_1, "Output": output(**INNER)}),
    "subdirectory_sibling_plain_import": Accept(
        "modules", SECOND_FILE.schemas, ("import it as 'app.schemas'",)
    ),
}

UNTYPED = "has no type, so any value is passed to it"
CALLABLES: dict[str, Difference] = {
    "untyped_param_no_default": Accept(
        "parameters", takes(a=need(type="integer"), b=need(), c=need(type="string")), (UNTYPED,)
    ),
    "untyped_param_with_default": Accept(
        "parameters", takes(a=need(type="integer"), b=may(default=3)), (UNTYPED,)
    ),
    "untyped_param_with_input": Accept("parameters", takes(b=may(default=3)), (UNTYPED,)),
    "function_untyped_first_param": Accept(
        "parameters", takes(image=need(), scale=may(type="integer", default=2)), (UNTYPED,)
    ),
    "method_typed_self": Accept("parameters", takes(n=may(type="integer", default=1))),
    "star_args_untyped": Refuse("parameters", "parse", 2, ("'*args'",)),
    "run_and_predict_both": Refuse("runtime-choice", "ambiguous_method", 5, ("'Runner'",)),
    "inherit_parent_run_child_predict": Refuse(
        "runtime-choice", "ambiguous_method", 7, ("keep run()",)
    ),
    "two_functions_same_name": Accept("runtime-choice", takes(b=need(type="string"))),
    "two_classes_same_name": Accept("runtime-choice", takes(b=need(type="string"))),
    "train_duplicate_methods": Accept(
        "runtime-choice",
        {
            "TrainingInput": inputs("TrainingInput", b=need(type="integer")),
            "TrainingOutput": output(**URI),
        },
    ),
    "missing_class_but_predict_function": Refuse(
        "names", "entry_not_found", 0, ("'Nope'", "it has: predict")
    ),
    "train_fallback_name": Refuse(
        "names", "entry_not_found", 0, ("'Missing'", "it has: TrainingOutput, train")
    ),
    "train_class_inherited": Accept(
        "names",
        {
            "TrainingInput": inputs("TrainingInput", data=need(**URI)),
            "TrainingOutput": output(**URI),
        },
    ),
    "duplicate_parameter_names": Refuse("syntax", "parse", 2, ("duplicate argument",)),
    "syntax_error_in_body": Refuse("syntax", "parse", 3, ("was never closed",)),
    "syntax_error_elsewhere": Refuse("syntax", "parse", 1, ("invalid syntax",)),
    "syntax_error_missing_colon": Refuse("syntax", "parse", 2, ("expected ':'",)),
    "syntax_error_unclosed_signature": Refuse("syntax", "parse", 2),
    "syntax_error_class_line": Refuse("syntax", "parse", 1, ("expected ':'",)),
    "bad_indentation": Refuse("syntax", "parse", 4, ("unindent",)),
    "python2_print": Refuse("syntax", "parse", 3, ("print",)),
    "non_default_after_default": Refuse("syntax", "parse", 2, ("default",)),
}

DIFFERENCES: dict[str, Difference] = {
    **DEFAULTS,
    **TEXTS,
    **LIMITS,
    **CHOICES,
    **TYPES,
    **MODULES,
    **CALLABLES,
}

# The same document as the generator's, with a warning about something that fails at run time.
EXTRA_WARNINGS: dict[str, tuple[str, ...]] = {
    "input_unknown_keyword": ("'example'", "use ge", "use le"),
    "choices_bool_none_mixed": ("the choice 1 of 'x'",),
    "second_file_relative": ("'from .schemas import Result' will not work",),
    "subdirectory_relative": ("'from .schemas import Result' will not work",),
    "subdirectory_parent_relative": ("'from ..schemas import Result' will not work",),
    "function_with_self_name": ("remove self",),
    "method_without_self": ("has no self",),
}
