"""Shows the section `Example:` of a docstring as code, which Google's style calls `Examples:`."""

import griffe


class ExampleSections(griffe.Extension):
    """Tell the parser that an example is one."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Rename the section in the docstring of whatever was read."""
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
