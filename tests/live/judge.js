// Microsoft's own KQL parser as a judge. Standard input: {"tables": {name: "(column: type, ...)"}, "queries": [...]} as JSON.
// Standard output: for each query what it complains of, the values of its string literals, and the columns of its answer.
'use strict';
const fs = require('fs');
const folder = process.argv[2];
require(folder + '/bridge.min.js');
require(folder + '/Kusto.Language.Bridge.min.js');
const {GlobalState, KustoCode, Symbols} = globalThis.Kusto.Language;

function listed(list) {
  const found = [];
  for (let at = 0; at < list.Count; at++) found.push(list.getItem(at));
  return found;
}

function literals(node, found) {
  if (node.Kind === globalThis.Kusto.Language.Syntax.SyntaxKind.StringLiteralExpression) found.push(node.LiteralValue);
  for (let at = 0; at < node.ChildCount; at++) {
    const child = node.GetChild(at);
    if (child) literals(child, found);
  }
  return found;
}

const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const tables = Object.entries(asked.tables).map(([name, schema]) => new Symbols.TableSymbol.$ctor7(name, schema, null));
const database = new Symbols.DatabaseSymbol.ctor('workspace', tables);
const globals = GlobalState.Default.WithDatabase(database);
const answers = asked.queries.map(query => {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const type = code.ResultType;
  return {
    complaints: listed(code.GetDiagnostics()).map(one => one.Severity + ' ' + one.Code + ': ' + one.Message),
    literals: literals(code.Syntax, []),
    columns: type && type.Columns ? listed(type.Columns).map(column => [column.Name, column.Type.Name]) : [],
  };
});
process.stdout.write(JSON.stringify(answers));
