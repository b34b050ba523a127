/// The style sheet of a page: light or dark as the reader's system is, and for A4 paper.
enum PageStyle {
  static var css: String {
    let light = zip(0..., Palette.series).map { "--s\($0):\($1)" }
    let dark = zip(0..., Palette.darkSeries).map { "--s\($0):\($1)" }
    let parts = zip(0..., Palette.parts).map { "--p\($0):\($1)" }
    return """
      :root{color-scheme:light dark;--text:#1b1b1b;--faint:#5c5c5c;--axis:#444;--grid:#e3e3e3;--back:#fff;\
      --soft:#f5f6f7;--link:#00599c;\((light + parts).joined(separator: ";"))}
      @media screen and (prefers-color-scheme:dark){:root{--text:#ececec;--faint:#a9a9a9;--axis:#b5b5b5;\
      --grid:#3a3d42;--back:#17191c;--soft:#212429;--link:#7cbcf0;\(dark.joined(separator: ";"))}}
      *{box-sizing:border-box}
      body{margin:0 auto;padding:1.5rem 1.25rem 4rem;max-width:56rem;background:var(--back);\
      color:var(--text);font:15px/1.5 Helvetica,Arial,"Liberation Sans",sans-serif}
      h1{font-size:1.55rem;line-height:1.25;margin:0 0 .4rem}
      h2{font-size:1.15rem;margin:2.6rem 0 .6rem;padding-top:.4rem;border-top:1px solid var(--grid)}
      h1,p,li{overflow-wrap:anywhere}p{margin:.5rem 0}a{color:var(--link)}
      .lead{font-size:1.08rem;margin:.8rem 0}.faint,figcaption{color:var(--faint);font-size:.87rem}
      nav{font-size:.87rem;margin:.8rem 0;line-height:1.8}nav a{margin-right:1rem;white-space:nowrap}
      ul.answers{padding-left:1.2rem;margin:.6rem 0}ul.answers li{margin:.2rem 0}
      figure{margin:1rem 0 0}figcaption{margin-top:.5rem}svg.figure{width:100%;height:auto;display:block}
      .scroll{overflow-x:auto;margin:1rem 0}.tall{max-height:34rem;overflow-y:auto}.scroll:focus{outline:2px solid var(--link)}
      table{border-collapse:collapse;font-size:.8rem;line-height:1.35;font-variant-numeric:tabular-nums}
      caption{text-align:left;color:var(--faint);padding-bottom:.4rem;font-size:.87rem}
      th,td{padding:.22rem .55rem;text-align:left;vertical-align:top;max-width:26rem;overflow-wrap:break-word}
      thead th{border-bottom:1.5px solid var(--axis);vertical-align:bottom;white-space:nowrap}
      #sources td{max-width:none}tbody th{font-weight:normal;white-space:nowrap}tbody tr{border-bottom:1px solid var(--grid)}
      th.n,td.n{text-align:right;white-space:nowrap}
      tbody tr:hover{background:var(--soft)}
      th button{all:unset;cursor:pointer;font-weight:bold}th button:focus-visible{outline:2px solid var(--link)}
      th[aria-sort=ascending] button::after{content:" \\25B2"}
      th[aria-sort=descending] button::after{content:" \\25BC"}
      pre{background:var(--soft);padding:.8rem;overflow-x:auto;font-size:.78rem;line-height:1.4}
      .controls{display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center;font-size:.87rem;margin:.6rem 0}
      .controls select,.controls input{font:inherit;color:inherit;background:var(--soft);\
      border:1px solid var(--grid);border-radius:3px;padding:.15rem .35rem;max-width:14rem}
      #tip{position:fixed;pointer-events:none;background:var(--text);color:var(--back);font-size:.8rem;\
      padding:.25rem .5rem;border-radius:3px;max-width:24rem;z-index:9}
      @media screen and (max-width:44rem){figure{overflow-x:auto}svg.figure,.scroll table{min-width:42rem}}
      @media print{@page{size:A4;margin:16mm 14mm}body{max-width:none;padding:0;font-size:10pt}\
      nav,.controls,#explore,#tip{display:none!important}h2{break-after:avoid}\
      figure,tr,li{break-inside:avoid}.scroll{overflow:visible;max-height:none}table{font-size:8pt}#points{font-size:5.6pt}\
      th,td{padding:.12rem .3rem}#points th,#points td{padding:1px 2.5px}thead th{white-space:normal}thead{display:table-header-group}\
      pre{white-space:pre-wrap;font-size:7pt;background:none;padding:0}details{display:block}a{color:inherit;text-decoration:none}}
      """
  }
}
