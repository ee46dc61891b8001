"""Static completion scripts for shells, written from the parser: no Python runs at a Tab."""

import re
from argparse import Action, ArgumentParser
from collections.abc import Iterator, Sequence

import attrs

#: Choices that every shell takes as one word.
_WORD = re.compile(r"[\w./-]+")


@attrs.frozen
class Argument:
    """An option, or a positional argument, which has no flags."""

    flags: Sequence[str]
    help: str
    #: What its value is called; empty for a flag without one.
    value: str
    choices: Sequence[str] = ()
    is_repeatable: bool = False

    @property
    def is_file(self) -> bool:
        """Whether its value names a file."""
        return self.value == "FILE"


@attrs.frozen
class Command:
    """A command of the command line."""

    name: str
    purpose: str
    options: Sequence[Argument]
    positionals: Sequence[Argument]


def describe(name: str, purpose: str, parser: ArgumentParser) -> Command:
    """Return a command with the arguments of its parser."""
    # argparse has no public list of what a parser takes; every completer reads this one.
    arguments = [_argument(each) for each in parser._actions]  # noqa: SLF001
    options = [each for each in arguments if each.flags]
    return Command(name, purpose, options, [each for each in arguments if not each.flags])


def _argument(action: Action) -> Argument:
    choices = [str(each) for each in action.choices or ()]
    has_value = action.nargs != 0
    return Argument(
        action.option_strings,
        action.help or "",
        str(action.metavar or action.dest.upper()) if has_value else "",
        [each for each in choices if _WORD.fullmatch(each)],
        type(action).__name__ == "_AppendAction",
    )


def bash(commands: Sequence[Command]) -> str:
    """Return the script for bash; where it has no answer, bash completes files."""
    names = " ".join(command.name for command in commands)
    return "\n".join(
        [
            "# Completes ziett in bash. Written by: ziett completion bash",
            "_ziett() {",
            "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}",
            "    local command= words= word",
            '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
            "        case $word in -*) ;; *) command=$word; break ;; esac",
            "    done",
            '    case "$command $previous" in',
            *_bash_values(commands),
            '        *) case "$command $current" in',
            '            " -"*) words="--help --version" ;;',
            f'            " "*) words="{names}" ;;',
            *_bash_words(commands),
            "        esac ;;",
            "    esac",
            '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
            "}",
            "complete -o default -F _ziett ziett",
        ]
    )


def _bash_values(commands: Sequence[Command]) -> Iterator[str]:
    for command in commands:
        for option in (each for each in command.options if each.choices):
            cases = "|".join(f'"{command.name} {flag}"' for flag in option.flags)
            yield f'        {cases}) words="{" ".join(option.choices)}" ;;'


def _bash_words(commands: Sequence[Command]) -> Iterator[str]:
    for command in commands:
        flags = " ".join(flag for option in command.options for flag in option.flags)
        yield f'            "{command.name} -"*) words="{flags}" ;;'
        choices = " ".join(word for each in command.positionals for word in each.choices)
        if choices:
            yield f'            "{command.name} "*) words="{choices}" ;;'


def zsh(commands: Sequence[Command]) -> str:
    """Return the script for zsh, to be sourced or to lie in a folder of `$fpath`."""
    return "\n".join(
        [
            "#compdef ziett",
            "# Completes ziett in zsh. Written by: ziett completion zsh",
            "_ziett() {",
            "    local context state state_descr line",
            "    typeset -A opt_args",
            "    _arguments -C '(- *)--help[show help]' '(- *)--version[show the version]' \\",
            "        '1:command:->command' '*::argument:->argument'",
            "    case $state in",
            "    command)",
            "        local -a commands=(",
            *(f"            {_quoted(f'{each.name}:{each.purpose}')}" for each in commands),
            "        )",
            "        _describe command commands ;;",
            "    argument)",
            "        case $words[1] in",
            *(f"        {each.name}) _arguments {_zsh_arguments(each)} ;;" for each in commands),
            "        esac ;;",
            "    esac",
            "}",
            'if [[ $funcstack[1] == _ziett ]]; then _ziett "$@"; else compdef _ziett ziett; fi',
        ]
    )


def _zsh_arguments(command: Command) -> str:
    specs = list[str]()
    for option in command.options:
        purpose = re.sub(r"([\[\]:\\])", r"\\\1", option.help)
        star = "*" if option.is_repeatable else ""
        value = f":{option.value}:{_zsh_values(option)}" if option.value else ""
        specs += [_quoted(f"{star}{flag}[{purpose}]{value}") for flag in option.flags]
    for place, each in enumerate(command.positionals, 1):
        specs.append(_quoted(f"{place}:{each.value}:{_zsh_values(each)}"))
    return " ".join(specs)


def _zsh_values(argument: Argument) -> str:
    if argument.choices:
        return f"({' '.join(argument.choices)})"
    return "_files" if argument.is_file else ""


def fish(commands: Sequence[Command]) -> str:
    """Return the script for fish."""
    lines = ["# Completes ziett in fish. Written by: ziett completion fish", "complete -c ziett -f"]
    for command in commands:
        purpose = _fish_quoted(command.purpose)
        lines.append(f"complete -c ziett -n __fish_use_subcommand -a {command.name} -d {purpose}")
        seen = f"complete -c ziett -n '__fish_seen_subcommand_from {command.name}'"
        lines += [f"{seen} {_fish_option(option)}" for option in command.options]
        lines += [
            f"{seen} {_fish_values(each)}" for each in command.positionals if _has_values(each)
        ]
    return "\n".join(lines)


def _fish_option(option: Argument) -> str:
    flags = " ".join(
        f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags
    )
    values = f" {_fish_values(option)}" if option.value else ""
    return f"{flags}{values} -d {_fish_quoted(option.help)}"


def _fish_values(argument: Argument) -> str:
    """Return the values; for an option `-x` and `-r` say that it has one."""
    if argument.is_file:
        return "-r -F" if argument.flags else "-F"
    return ("-x " if argument.flags else "") + f"-a {_fish_quoted(' '.join(argument.choices))}"


def _has_values(argument: Argument) -> bool:
    return argument.is_file or bool(argument.choices)


def _quoted(text: str) -> str:
    """Return a word of sh and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    """Return a word of fish, where a backslash escapes inside quotes, too."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


#: Makes the script of each shell that is known here.
SHELLS = {"bash": bash, "fish": fish, "zsh": zsh}
