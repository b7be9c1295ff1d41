"""Shows docstrings and signatures on the reference pages as `help()` shows them."""

import inspect
import pydoc

import griffe


class ExampleSections(griffe.Extension):
    """Show the section `Example:` as code, which Google's style calls `Examples:`."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Rename the section in a docstring as soon as it is read, in every module."""
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")


class SharedKeywords(griffe.Extension):
    """Write out the keywords behind `**options`, which only the running function knows."""

    def on_function(self, *, func: griffe.Function, **_: object) -> None:
        """Replace `**options: Unpack[...]` by each keyword with its default."""
        options = [p for p in func.parameters if p.kind is griffe.ParameterKind.var_keyword]
        if not options or "Unpack" not in str(options[0].annotation):
            return
        owner = func.parent if func.name == "__init__" else func
        running = inspect.signature(pydoc.locate(owner.canonical_path)).parameters.values()
        if any(p.kind is p.VAR_KEYWORD for p in running):
            return
        for described in (owner, func):
            if described.docstring:
                _ = described.docstring.parsed  # cached; later `**options` would be unknown to it
        del func.parameters[options[0].name]
        for parameter in running:
            if parameter.name not in func.parameters:
                func.parameters.add(
                    griffe.Parameter(
                        parameter.name,
                        kind=griffe.ParameterKind.keyword_only,
                        default=repr(parameter.default),
                    )
                )


class FunctionsBeforeModules(griffe.Extension):
    """Show `kerasviz.report`, the function, where a package has the same name."""

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """Put functions in place of the packages that hold them, once all is read."""
        packages = [x.name for x in pkg.members.values() if not x.is_alias and x.is_module]
        for name in packages:
            inner = pkg.members[name].members.get(name)
            if inner is not None and inner.is_alias:
                inner.resolve_target()
                pkg.members[name] = griffe.Alias(name, inner.final_target, parent=pkg)
