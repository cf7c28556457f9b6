extension ReportPage {
  /// The style sheet. It holds no character that XML would read as markup.
  static let style: Markup = """
    :root { color-scheme: light dark; --paper: #fff; --ink: #1b1d20; --quiet: #5a6068; --line: #d5d9de;
      --link: #1f5fa8; --shade: 31 95 168; --bar: #2f5f94; }
    .c0 { color: #1f5fa8; } .c1 { color: #a34a00; } .c2 { color: #1a7340; }
    .c3 { color: #7a3f9d; } .c4 { color: #b3261e; } .c5 { color: #00696f; }
    @media (prefers-color-scheme: dark) {
      :root { --paper: #15171a; --ink: #e4e6e9; --quiet: #a2a9b2; --line: #3a4048;
        --link: #8ab8f0; --shade: 120 170 230; --bar: #7fb0e6; }
      .c0 { color: #8ab8f0; } .c1 { color: #f0a35e; } .c2 { color: #74cf95; }
      .c3 { color: #cf9fee; } .c4 { color: #f58f86; } .c5 { color: #63ced3; }
    }
    * { box-sizing: border-box; }
    html { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
      -webkit-text-size-adjust: 100%; }
    body { margin: 0; }
    main { max-width: 70rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
    h1 { font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -.01em; margin: 0 0 1rem; }
    h2 { font-size: 1.2rem; line-height: 1.3; font-weight: 650; margin: 2.75rem 0 .75rem; }
    h1, p, li, dd, summary, figcaption, .words small { overflow-wrap: break-word; }
    p { max-width: 44rem; margin: 0 0 1rem; }
    #summary { font-size: 1.075rem; }
    a { color: var(--link); }
    nav { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; font-size: .875rem; }
    small { font-size: .8125rem; color: var(--quiet); font-weight: 400; }
    b { font-weight: 700; }
    .quiet { color: var(--quiet); fill: var(--quiet); }
    .wide { overflow-x: auto; margin: 0 0 1rem; }
    :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }

    #settings dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 16rem), 1fr));
      gap: .6rem 2rem; margin: 0; }
    dt { font-size: .8125rem; color: var(--quiet); }
    dd { margin: 0; font-variant-numeric: tabular-nums; }

    table { border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; }
    th, td { padding: .3rem .75rem; border-bottom: 1px solid var(--line); font-weight: 400; }
    th { text-align: left; }
    thead th { font-size: .8125rem; color: var(--quiet); vertical-align: bottom; line-height: 1.3;
      border-bottom: 1px solid var(--quiet); }
    tbody th[scope=row], thead th:first-child { padding-left: 0; position: sticky; left: 0;
      background: var(--paper); }
    .figures td, .figures thead th + th { text-align: right; white-space: nowrap; }
    .figures .group th { padding: 1rem 0 .3rem; font-weight: 650; }
    .figures tbody:first-of-type .group th { padding-top: .5rem; }
    .figures th[scope=row] { max-width: 14rem; overflow-wrap: break-word; }
    .words td { min-width: 4rem; vertical-align: top; }
    .words th[scope=row] small { display: block; min-width: 9rem; max-width: 15rem; line-height: 1.35; }
    .words th[scope=row] { max-width: 15rem; overflow-wrap: break-word; }

    .confusion th, .confusion td { padding: .25rem .5rem; border: 0; }
    .confusion th[scope=row] { max-width: 10rem; overflow: hidden; text-overflow: ellipsis;
      white-space: nowrap; padding-left: 0; }
    .confusion td { text-align: right; min-width: 3.4rem; }
    .confusion thead th + th { text-align: right; max-width: 8rem; overflow-wrap: break-word; }
    .confusion td:last-child { color: var(--quiet); padding-left: 1rem; }
    .upright td { min-width: 1.9rem; padding: .15rem .25rem; font-size: .8125rem; }
    .upright tbody th { font-size: .8125rem; }
    .upright thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9rem;
      overflow: hidden; white-space: nowrap; }
    .upright thead th + th { padding: .25rem; text-align: center; }
    \(shades)
    details { margin: 0 0 1rem; }
    summary { cursor: pointer; }

    .charts { display: flex; flex-wrap: wrap; gap: 1.5rem 2rem; }
    figure { margin: 0; min-width: 0; max-width: 100%; }
    figcaption { font-weight: 650; font-size: .9375rem; margin-bottom: .4rem; }
    svg { display: block; font: 12px system-ui, sans-serif; fill: currentColor; }
    svg .middle { text-anchor: middle; }
    svg .end { text-anchor: end; }
    .bars .value { font-size: 10px; }
    .bars rect { stroke: var(--bar); fill: var(--bar); }
    .bars .first { fill-opacity: 0; }
    .bars .best { fill-opacity: .4; }
    .step0 { fill-opacity: 0; } .step1 { fill-opacity: 1; } .step2 { fill-opacity: .5; }
    .step3 { fill-opacity: .2; } .step4 { fill-opacity: .75; } .step5 { fill-opacity: .35; }
    .grid { stroke: var(--line); fill: none; }
    .axis { stroke: var(--quiet); fill: none; }
    .lines .test, .lines .training, .key { stroke: currentColor; stroke-width: 1.6; fill: none; }
    .lines .training { stroke-dasharray: 5 4; stroke-width: 1.2; }
    .filled, .hollow { stroke: currentColor; fill: currentColor; }
    .hollow { fill: var(--paper); }

    .pictures td, .pictures th { vertical-align: top; padding: .4rem .3rem; border: 0; }
    .pictures th[scope=row] { min-width: 7rem; max-width: 9rem; overflow-wrap: break-word; line-height: 1.35;
      font-size: .875rem; padding-right: .75rem; }
    .pictures small { display: block; }
    .pictures dl { margin: .35rem 0 0; }
    .pictures dt { line-height: 1.2; margin-top: .3rem; }
    img { display: block; height: auto; }
    .pictures img { width: clamp(5rem, 56rem / var(--pictures) - .6rem, 9rem); max-width: none; }
    .sharp { image-rendering: pixelated; }
    .preview { margin-bottom: 1.25rem; }
    .preview figcaption { font-weight: 400; font-size: .875rem; }
    .row { display: flex; flex-wrap: wrap; gap: .4rem; }
    .row img { width: 9rem; }
    .legend { list-style: none; margin: 0; padding: 0; display: grid; gap: .25rem 1.5rem;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 11rem), 1fr)); }
    i { display: inline-block; width: .9em; height: .9em; border: 1px solid var(--quiet);
      vertical-align: -.1em; margin-right: .25em; }

    @media (max-width: 40rem) {
      main { padding: 1.5rem 1rem 3rem; }
      h1 { font-size: 1.4rem; }
      .pictures img { width: min(7rem, 56rem / var(--pictures) - .6rem); }
      .row img { width: calc(50% - .2rem); }
      th, td { padding: .3rem .5rem; }
      table { font-size: .875rem; }
      .figures th[scope=row] { max-width: 8rem; }
      .words th[scope=row], .words th[scope=row] small { max-width: 8rem; min-width: 0; }
      .pictures th[scope=row] { min-width: 5rem; max-width: 6rem; padding-right: .4rem; }
      .confusion th[scope=row] { max-width: 6rem; }
    }
    @media print { nav { display: none; } .wide { overflow: visible; } }
    """

  /// Ten shades for the cells of a confusion matrix, all light enough for the ink on them.
  private static var shades: Markup {
    (1...10).map { step -> Markup in
      ".s\(step) { background: rgb(var(--shade) / \(Figure.fixed(Double(step) * 0.045, digits: 3))); }"
    }.joined(separator: "\n")
  }
}
