// Making nodes and keeping them: texts are only set as text, nodes that stay are never replaced,
// so that focus, selection and scroll position survive every refresh.

// h('td', {class: 'number'}, 'text', node): attributes whose value is null or false are left out.
export function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) set(node, key, value);
  node.append(...children);
  return node;
}

export function set(node, attribute, value) {
  if (value === null || value === false || value === undefined) {
    if (node.hasAttribute(attribute)) node.removeAttribute(attribute);
  } else if (node.getAttribute(attribute) !== String(value)) {
    node.setAttribute(attribute, value);
  }
}

export function text(node, value) {
  const wanted = String(value);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

const managed = new WeakMap(); // parent -> Map of key -> view

// Makes `parent` show `items` in their order: one view {node, update(item)} each, made by
// `make(item)` when its key appears and removed when that is gone. Children that it did not make
// stay in front.
export function list(parent, items, keyOf, make) {
  const old = managed.get(parent) ?? new Map();
  const views = new Map();
  for (const item of items) {
    const key = unique(views, keyOf(item));
    views.set(key, old.get(key) ?? make(item));
    views.get(key).update(item);
  }
  for (const [key, view] of old) if (!views.has(key)) view.node.remove();
  managed.set(parent, views);
  place(parent, views);
}

function unique(taken, key) {
  let result = key;
  for (let i = 2; taken.has(result); ++i) result = `${key}\n${i}`;
  return result;
}

// Moving a node takes the focus from it, so only those that stand elsewhere are moved.
function place(parent, views) {
  const focused = document.activeElement;
  let after = null; // from the last to the first, so that foreign children stay in front
  for (const {node} of [...views.values()].reverse()) {
    if (node.parentNode !== parent || node.nextSibling !== after) parent.insertBefore(node, after);
    after = node;
  }
  if (focused !== document.activeElement && parent.contains(focused)) {
    focused.focus({preventScroll: true});
  }
}

// A state as a shape, a colour and a word. Levels: ok, warn, bad, will (somebody wants it so), off.
export function badge() {
  const word = h('span');
  const node = h('span', {class: 'badge off'}, h('span', {class: 'shape', 'aria-hidden': 'true'}),
                 word);
  return {
    node,
    update([level, state]) {
      set(node, 'class', `badge ${level}`);
      text(word, state);
    },
  };
}

// A table's row. Columns: {name, class, view(), of(item)}; without view() a cell is plain text.
// On a phone rows become cards, where each cell shows its column's name.
export function row(columns) {
  const cells = columns.map((column) => {
    const view = column.view?.();
    const node = h(column.head ? 'th' : 'td', {
      role: column.head ? 'rowheader' : 'cell', scope: column.head ? 'row' : null,
      class: column.class, 'data-name': column.name,
    }, ...(view ? [view.node] : []));
    return {node, update: view ? view.update : (value) => text(node, value)};
  });
  const node = h('tr', {role: 'row'}, ...cells.map((cell) => cell.node));
  return {
    node,
    update(item) {
      columns.forEach((column, i) => {
        cells[i].update(column.of(item));
        if (column.title) set(cells[i].node, 'title', column.title(item) || null);
      });
    },
  };
}
