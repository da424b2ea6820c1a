#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The lint's own test: each rule must see what it is there for, and nothing else."""
import importlib.machinery
import importlib.util
import os
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

SPDX = '/* SPDX-License-Identifier: MIT */\n'
BLOCK = SPDX + ('/*\n * Purpose: x.\n * Used by: y.\n * May touch: nothing.\n * Threads: any.\n */\n'
                '#pragma once\n')


def function(lines):
    return SPDX + 'int f(void)\n{\n' + '    g();\n' * lines + '}\n'


# (path, text, rules that must fire, in any number)
CASES = [
    ('lib/base/a.c', SPDX + 'int f(void)\n{\n    return 0;\n}\n', []),
    ('lib/base/a.c', 'int x;\n', ['spdx']),
    ('conf/x.sql', 'SELECT 1;\n', ['spdx']),
    ('lib/base/a.h', BLOCK, []),
    ('lib/base/a.h', BLOCK.replace(' * Threads: any.\n', ''), ['header-block']),
    ('worker/a.h', BLOCK.replace(' * Threads: any.\n', ''), []),
    ('worker/a.h', BLOCK.replace('#pragma once\n', ''), ['header-block']),
    ('worker/a.c', function(97), []),
    ('worker/a.c', function(99), ['length']),
    ('worker/a.c', SPDX + 'int x;\n' * 799, []),
    ('worker/a.c', SPDX + 'int x;\n' * 800, ['length']),
    ('worker/a.c', SPDX + 'int f(void)\n{\n#ifdef X\n    g();\n#endif\n}\n', ['if-in-function']),
    ('worker/a.c', SPDX + '#ifdef X\nint x;\n#endif\n', []),
    ('worker/a.c', SPDX + 'int f(void)\n{\n    strcpy(a, b);\n}\n', ['banned']),
    ('worker/a.c', SPDX + 'int f(void)\n{\n    list->free(a);\n    g_free(a);\n}\n', []),
    ('worker/a.c', SPDX + '/* strcpy(a, b) */\nchar *a = "system(x)";\n', []),
    ('worker/a.c', SPDX + 'int f(void)\n{\n    free(a); /* lint: allow banned, from libx */\n}\n', []),
    ('lib/sql/a.c', SPDX + 'char *a = "SELECT 1";\n', ['sql-text']),
    ('lib/sql/a.def', SPDX + 'X(A, "", 1, CLI, "SELECT 1")\n', []),
    ('lib/edge/a.c', SPDX + 'char *a = "SELECT 1";\n', []),
    ('cli/a.c', SPDX + 'char *a = "DELETE FROM x";\n', ['sql-text']),
    ('cli/a.c', SPDX + '#include <sqlite3.h>\n', ['door']),
    ('lib/edge/a.c', SPDX + '#include <sqlite3.h>\n', []),
    ('milters/a.c', SPDX + '#include <libmilter/mfapi.h>\n', []),
    ('worker/a.c', SPDX + '#include <libmilter/mfapi.h>\n', ['door']),
    ('worker/a.c', SPDX + '#include <foreign/x.h>\n', ['door']),
    ('worker/a.c', SPDX + '#include <sys/stat.h>\n', []),
    ('lib/base/a.c', SPDX + '#include "lib/log/log.h"\n', ['layer']),
    ('lib/log/a.c', SPDX + '#include "lib/base/error.h"\n', []),
    ('lib/edge/a.c', SPDX + '#include "lib/store/store.h"\n', ['layer']),
    ('lib/base/a.c', SPDX + '#include "error.h"\n', ['layer']),
    ('cli/a.c', SPDX + '#include "worker/apply.h"\n', ['layer']),
    ('tests/worker/a.c', SPDX + '#include "worker/apply.h"\n', []),
    ('milters/a.c', SPDX + '#include "lib/sql/sql.h"\n', ['layer']),
    ('policyd/a.c', SPDX + '#include "lib/directory/server.h"\n', ['layer']),
    ('transport/a.c', SPDX + '#include "lib/sql/sql.h"\n', ['layer']),
    ('api/sender.c', SPDX + '#include "lib/sql/pool.h"\n', ['layer']),
    ('api/v1_call.c', SPDX + '#include "lib/history/visits.h"\n', ['layer']),
    ('api/history_desk.c', SPDX + '#include "lib/sql/pool.h"\n', []),
    ('lib/edge/a.c', SPDX + 'int f(void)\n{\n    log_info(NULL, "x");\n}\n', ['lib-logs']),
    ('lib/edge/a.c', SPDX + 'int f(void)\n{\n    log_debug(NULL, "x");\n}\n', []),
    ('lib/edge/util.c', SPDX, ['name']),
    ('lib/edge/futile.c', SPDX, []),
    ('README.md', 'see /home/' + 'me/x\n', ['words']),
    ('README.md', 'see $DIR/work/x\n', []),
    ('README.md', 'line \n', ['whitespace']),
    ('worker/a.c', SPDX + 'int x;', ['whitespace']),
    ('worker/a.c', SPDX + '\tint x;\n', ['whitespace']),
    ('scripts/a.py', '# SPDX-License-Identifier: MIT\ndef f(:\n', ['python']),
]


def load_lint():
    loader = importlib.machinery.SourceFileLoader('lint', os.path.join(TOP, 'scripts/lint'))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('lint', loader))
    loader.exec_module(module)
    return module


class LintTest(unittest.TestCase):
    def setUp(self):
        self.lint = load_lint()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.lint.TOP = self.folder.name

    def write(self, path, text):
        full = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as file:
            file.write(text)
        return self.lint.Source(path)

    def test_rules_case_by_case(self):
        for number, (path, text, wanted) in enumerate(CASES):
            with self.subTest(number=number, path=path):
                source = self.write(path, text)
                self.lint.findings.clear()
                for rule in self.lint.RULES.values():
                    rule(source)
                self.assertEqual(sorted({found[2] for found in self.lint.findings}), wanted)

    def test_each_rule_has_a_bad_case(self):
        self.assertEqual(sorted({name for case in CASES for name in case[2]}),
                         sorted(self.lint.RULES))

    def test_documents_path_missing(self):
        source = self.write('README.md', '`lib/base/gone.c` `lib/base/` `lib/base/a.c` `x/y` `LIB/x`\n')
        self.lint.check_documents({'lib/base/a.c', 'README.md'}, [source])
        self.assertEqual([found[3] for found in self.lint.findings],
                         ['lib/base/gone.c does not exist'])

    def test_tables_option_without_reader(self):
        table = self.write('lib/config/options.def',
                           SPDX + 'X(ONE, one, INT, "1")\nX(TWO, two, INT, "1")\n')
        code = self.write('worker/a.c', SPDX + 'int f = CONFIG_ONE;\n')
        self.lint.check_tables([table, code])
        self.assertEqual([found[3] for found in self.lint.findings], ['option two: no code reads it'])


if __name__ == '__main__':
    unittest.main()
