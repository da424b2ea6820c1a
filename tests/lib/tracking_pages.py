# SPDX-License-Identifier: MIT
"""HTML as senders write it: pages in which `@@` stands for the attributes of a link, and ways to write these."""
import random

# Attributes of a link. Those that may be tracked, those that must stay, and what only looks odd.
LINKS = [
    'href="https://shop.test/offer?id=1&amp;utm_source=mail&amp;utm_medium=news"',
    'href="https://shop.test/offer?id=1&utm_source=mail&utm_medium=news"',
    'href="https://shop.test/a?x=1&copy=2&reg=3&amp=4&lt=5"',
    'href="https://shop.test/a?x=1&copy;2&not=3&notit;4"',
    'href="https://shop.test/a?region=1&timestamp=2&section=3"',
    'href="https://shop.test/a?x=1&timestamp=2&amp;y=3"',
    'href="https://shop.test/a?x&#61;1&#38;y&#x3d;2&#x26;z"',
    'href="https&#58;//shop.test&#47;a&sol;b&quest;c"',
    'href="&#104;ttps://shop.test/entity"',
    "HREF='https://shop.test/single?a=\"b\"'",
    'HREF="https://shop.test/double?a=\'b\'"',
    'href="https://shop.test/quot?a=&quot;b&quot;&apos;c"',
    "hReF='https://shop.test/&#39;apos&#39;'",
    'href=https://shop.test/unquoted',
    'href=https://shop.test/unquoted?a=1&b=2 target=_blank',
    'href=https://shop.test/slash/ title=x',
    'href=https://shop.test/q"uote',
    'href = "https://shop.test/spaced"',
    'href\n=\n"https://shop.test/lines"',
    'href="\n      https://shop.test/padded\n   "',
    'href="  https://shop.test/blank  "',
    'href="&#32;https://shop.test/entity-blank&#10;"',
    'href="\x01https://shop.test/control\x1f"',
    'href="https://shop.test/in ner space.pdf"',
    'href="https://shop.test/%20enc%C3%A4ded%zz%"',
    'href="https://shop.test/straße/ü?q=ä#ö"',
    'href="https://shop.test/emoji/😀"',
    'href="https://shop.test/stra&szlig;e?q=&auml;"',
    'href="https://bücher.test/idn"',
    'href="https://xn--bcher-kva.test/ace"',
    'href="https://例え.テスト/path"',
    'href="HTTPS://SHOP.TEST/UPPER"',
    'href="Http://Shop.Test:80/Port"',
    'href="http://shop.test:8080/port"',
    'href="http://shop.test:/port"',
    'href="https://shop.test"',
    'href="https://shop.test?query"',
    'href="https://shop.test#fragment"',
    'href="https://shop.test/#!/app?x=1#y"',
    'href="https://shop.test/a/../b/./c"',
    'href="https://shop.test/;jsessionid=1,2"',
    'href="https://shop.test/(brackets)[x]{y}|^`"',
    'href="https://shop.test/<angle>"',
    'href="https://192.0.2.1/v4"',
    'href="http://3221225985/number"',
    'href="http://[2001:db8::1]:8080/v6"',
    'href="https://under_score.test/"',
    'href="https://dot.test./"',
    'href="https://localhost/"',
    'href="https://shop.test/r?u=https%3A%2F%2Fother.test%2F&u=http://x.test"',
    'title="a>b" href="https://shop.test/gt" style="color:red"',
    "title='<a href=http://no.test>' href='https://shop.test/lt'",
    'href="https://shop.test/first" href="https://shop.test/second"',
    'class=x href="https://shop.test/close"class=y',
    'target="_blank" rel="noopener" href="https://shop.test/rel" id="l1"',
    'x-href="https://shop.test/other" href="https://shop.test/one"',
    'data-href="https://shop.test/data"',
    'name="anchor"',
    'href',
    'href=',
    'href=""',
    'href="#top"',
    'href="mailto:me@shop.test?subject=https://shop.test/"',
    'href="tel:+49301234"',
    'href="sms:123"',
    'href="cid:image1@shop.test"',
    'href="javascript:location=\'https://shop.test/\'"',
    'href="data:text/html,https://shop.test/"',
    'href="ftp://shop.test/"',
    'href="/relative"',
    'href="relative.html"',
    'href="?query"',
    'href="//shop.test/scheme-less"',
    'href="https:/shop.test/one-slash"',
    'href="https:shop.test/no-slash"',
    'href="https:\\\\shop.test\\back"',
    'href="https://shop.test\\back"',
    'href="https://user:secret@shop.test/"',
    'href="https://user@shop.test/"',
    'href="https://shop.test@evil.test/"',
    'href="https://shop.test/tab\there"',
    'href="https://shop.test/li\nne"',
    'href="ht\ntps://shop.test/line"',
    'href="https://"',
    'href="https:///path"',
    'href="https://?"',
    'href="https://a..b/"',
    'href="https://a b/"',
    'href="https://shop.test:99999/"',
    'href="https://shop.test:x/"',
    'href="https://sh%6fp.test/"',
    'href="https://[::1/"',
    'href="https://xn--a-ecp.ru/"',
    'href="{{ url }}"',
    'href="https://{{host}}/x"',
    'href="https://shop.test/?u={{user.id}}"',
    'href="https://shop.test/?u=%%EMAIL%%"',
    'href="*|UNSUB|*"',
    'href="https://shop.test/[[id]]"',
    'href="<%= url %>"',
    'href="https://shop.test/${id}"',
    'href="https://shop.test/{single}"',
    'href="https://t.track.test/c/already"',
    'href="https://T.Track.Test/c/already"',
    'href="https://excluded.test/x"',
    'href="https://www.excluded.test/x"',
    'href="https://www.below.test/x"',
    'href="https://notbelow.test/x"',
    'href="https+notrack://shop.test/marked?a=1"',
    "href='http+notrack://shop.test/marked'",
    'href="https&#43;notrack://shop.test/entity-mark?a=1&amp;b=2"',
    'href=" HTTPS+notrack://shop.test/upper"',
    'href=https+notrack://shop.test/unquoted',
    'data-notrack href="https://shop.test/attribute"',
    'href="https://shop.test/attribute" data-notrack',
    'href="https://shop.test/attribute" data-notrack="true"class=x',
    "href=https://shop.test/a DATA-NOTRACK = 'yes' class=x",
    'class="x"data-notrack href=\'https://shop.test/a\'',
    'id data-notrack =x href="https://shop.test/a"',
    'href="https://shop.test/' + 'x' * 1950 + '"',
    'href="https://shop.test/' + 'x' * 1990 + '"',
    'href="https://shop.test/?' + '&amp;' * 600 + '"',
    'href="https://shop.test/nul\0"',
]

# Senders' pages.
PAGES = {
    'plain': '<html><body><p>Hi <a @@>there</a>, and <a @@>here</a>.</p></body></html>',
    'fragment': 'Hello <a @@>x</a><br>bye',
    'outlook': '''<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"
xmlns:w="urn:schemas-microsoft-com:office:word" xmlns="http://www.w3.org/TR/REC-html40"><head>
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=utf-8"><meta name=Generator content="Microsoft Word 15 (filtered medium)">
<!--[if !mso]><style>v\\:* {behavior:url(#default#VML);}</style><![endif]--><style><!--
p.MsoNormal {margin:0cm;} a:link, span.MsoHyperlink {color:blue;}
--></style></head><body lang=DE link=blue vlink=purple><div class=WordSection1><p class=MsoNormal><span style='font-family:"Calibri",sans-serif'>
See <a @@><span style='color:#0563C1'>this</span></a><o:p></o:p></span></p><p class=MsoNormal><a @@>that</a></p></div></body></html>''',
    'gmail': '''<div dir="ltr"><div>Hi,</div><div><br></div><div><a @@ target="_blank">link</a></div><br clear="all"><div>-- <br>
<div class="gmail_signature"><a @@>web</a></div></div></div><div class="gmail_quote"><blockquote class="gmail_quote"
 style="margin:0 0 0 .8ex"><a @@>old</a></blockquote></div>''',
    'apple': '''<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="overflow-wrap: break-word;
 -webkit-nbsp-mode: space; line-break: after-white-space;"><a @@>x</a><div><br></div><div><a @@>y</a></div></body></html>''',
    'button': '''<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Sale & <a href="http://no.test/">more</a></title></head><body bgcolor="#FFFFFF">
<table width="100%" border="0" cellspacing="0" cellpadding="0"><tr><td><table border="0"><tr><td align="center" bgcolor="#e9703e">
<!--[if mso]><v:roundrect href="https://shop.test/mso" style="height:40px"><center><![endif]-->
<a @@ style="font-size:18px; font-family: Helvetica, 'Arial'">Buy</a>
<!--[if mso]></center></v:roundrect><![endif]--></td></tr></table></td></tr></table><map name="m"><area @@ shape=rect coords="0,0,1,1"></map></body></html>''',
    'revealed': '''<!--[if !mso]><!--><a @@>modern</a><!--<![endif]--><!--[if gte mso 9]><xml><o:OfficeDocumentSettings/></xml>
<a href="https://shop.test/mso">old</a><![endif]--><![if !mso]><a @@>bogus</a><![endif]>''',
    'upper': '''<HTML><HEAD><TITLE>X</TITLE></HEAD><BODY BGCOLOR=WHITE><CENTER><FONT FACE="Arial" SIZE=2><A @@><B>CLICK</B></A>
<P><A @@>AGAIN</A></FONT></CENTER></BODY></HTML>''',
    'mailchimp': '''<!doctype html><html><head><style type="text/css">p{margin:10px 0}@media only screen and (min-width:768px){a{x:y}}
</style></head><body><center><table id="bodyTable"><tr><td><span class="mcnPreviewText" style="display:none">Preview</span>
<a @@ title="" class="" target="_blank"><img alt="" src="https://img.test/a.png" width="564" class="mcnImage"></a></td></tr><tr><td>
<a @@>View</a> <a href="*|UNSUB|*">unsubscribe</a></td></tr></table></center>
<script type="application/ld+json">{"@type":"EmailMessage","url":"https://no.test/<a href=\\"https://no.test\\">"}</script></body></html>''',
    'unclosed': '<table><tr><td><a @@>one<td><a @@>two<tr><td><p><a @@>three<p>four',
    'misnested': '<b><a @@><i>x</b>y</a>z</i><p><a @@>q<div></a>r</p></div>',
    'nested links': '<a @@>x<a @@>y</a>z</a><table><a @@>foster</a><tr><td></td></tr></table>',
    'base': '<html><head><base href="https://base.test/dir/"></head><body><a @@>x</a><a @@>y</a></body></html>',
    'svg': '<body><a @@><svg viewBox="0 0 1 1"><title>Logo <b></title><path d="M0"/></svg></a><a @@>x</a></body>',
    'svg logo': '<svg xmlns="http://www.w3.org/2000/svg"><title>Logo</title><a href="https://shop.test/svg"><g><path/></g></a></svg><a @@>x</a>',
    'svg style': '<svg><style>a{b:c}</style><desc>d</desc><![CDATA[<a href="https://no.test/">]]></svg><a @@>x</a><a @@>y</a>',
    'svg broken': '<p><svg><g></p><a @@>x</a></svg><a @@>y</a>',
    'svg left': '<svg><g><p><a @@>x</a></svg><a @@>y</a>',
    'svg object': '<svg><foreignObject><div><a @@>x</a></div></foreignObject></svg><a @@>y</a>',
    'math': '<math><mi>x</mi><mo>&lt;</mo><mn>1</mn></math><a @@>x</a>',
    'template': '<template><a @@>x</a></template><a @@>y</a>',
    'noscript': '<noscript><a @@>x</a></noscript><iframe><a href="https://no.test/"></iframe><a @@>y</a>',
    'textarea': '<textarea><a href="https://no.test/"></textarea><xmp><a href="https://no.test/"></xmp><a @@>x</a>',
    'comment': '<!-- <a href="https://no.test/"> --><!--><a @@>x</a><!-- a -- b --!><a @@>y</a>',
    'late': '<html><body>x</body></html><a @@>after</a>',
    'twice': '<html><body><a @@>x</a></body><body class=y><a @@>y</a></body></html>\n\n',
    'select': '<select><option>a<option>b</select><a @@>x</a><button><a @@>y</a></button>',
    'svg in select': '<select><svg><title></select><a @@>x</a>',
    'form': '<form action="https://no.test/"><input value="<a href=https://no.test/>"><a @@>x</a></form>',
    'script': '<script>document.write("<a href=\'https://no.test/\'>")</script><style>a[href="https://no.test/"]{}</style><a @@>x</a>',
    'plaintext': '<a @@>x</a><plaintext><a href="https://no.test/">',
    'open comment': '<a @@>x</a><!-- <a href="https://no.test/"> </body>',
    'open title': '<a @@>x</a><title></body>',
    'open tag': '<a @@>x</a><a href="https://no.test/',
    'open svg': '<a @@>x</a><svg><g>',
    'frameset': '<html><frameset cols=*><frame src="https://no.test/"></frameset></html><a @@>x</a>',
    'object': '<object><a @@>x</a></object><details><summary><a @@>y</a></summary></details>',
    'heavy': '<div style="display:none;max-height:0">&nbsp;&zwnj;&nbsp;</div>' + '<table><tr><td>' * 30 + '<a @@>x</a>' +
             '</td></tr></table>' * 30 + '<a @@>y</a>',
    'crlf': '<p>\r\n<a\r\n   class="b"\r\n   @@\r\n>x</a>\r\n</p>\r\n<a @@>y</a>\r\n</body>\r\n',
    'tight': '<p/><a/@@/>x</a><br/><A @@>y</A>',
    'xhtml': '<?xml version="1.0" encoding="UTF-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body><a @@>x</a><br /><a @@>y</a></body></html>',
    'amp page': '<!doctype html><html ⚡4email><head><script async src="https://cdn.test/v0.js"></script></head><body><a @@>x</a></body></html>',
    'entities': '<p>5 &lt; 6 &amp;&amp; &copy 2020 &hellip; <a @@>&#128512;</a> a<b c</p><a @@>x</a>',
    'signature': '<a @@>x</a><div><table cellpadding=0><tbody><tr><td style="border-left:1px solid"><a @@><img src=cid:logo></a></tbody></table></div>',
}

# For texts that nobody would write.
PIECES = ['<a ', '<a @@>', '<a @@>', '<A @@ ', '<area @@>', '</a>', '"', "'", '>', '<', '/>', '</', '<!--', '-->', '--!>', '<!',
          '<title>', '</title>', '<textarea>', '</textarea>', '<style>', '</style>', '<script>', '</script>', '<noscript>',
          '</noscript>', '<svg>', '</svg>', '<svg/>', '<math>', '</math>', '<mi>', '</mi>', '<desc>', '</desc>', '<foreignObject>',
          '</foreignObject>', '<annotation-xml encoding=text/html>', '</annotation-xml>', '<path/>', '<g>', '</g>', '<font color=x>',
          '<font>', '<![CDATA[', ']]>', '<template>', '</template>', '<select>', '</select>', '<option>', '<table>', '</table>',
          '<tr>', '<td>', '</td>', '<p>', '</p>', '<div>', '</div>', '<b>', '</b>', '<br>', '</br>', '<body>', '</body>', '<html>',
          '</html>', '<head>', '</head>', '<plaintext>', '<xmp>', '</xmp>', '<iframe>', '</iframe>', '<form>', '<button>', 'x', ' ',
          '&amp;', '=', 'href=https://a.test/', 'data-notrack', ' href="https://b.test/?c&d"', '<frameset>', '<caption>', '<img src=x>',
          '<object>', '</object>', '<input>', '<keygen>', '<image>', '<li>', '<ruby><rt>', '<marquee>', '</marquee>', '<base href=//c>']


def fill(page, chance):
    """The page with links put in for each `@@`."""
    parts = page.split('@@')
    return ''.join(part + (chance.choice(LINKS) if i + 1 < len(parts) else '') for i, part in enumerate(parts))


def pages(random_texts, seed):
    """(name, HTML) of each: every link in a small page, every page with links in turn, and made-up texts."""
    chance = random.Random(seed)
    for i, link in enumerate(LINKS):
        yield f'link {i}', f'<html><body>\n<p>x <a {link}>y</a> z</p>\n</body></html>\n'
    for name, page in PAGES.items():
        plain = iter(LINKS[:14] * 10)
        yield name, ''.join(part + (next(plain) if i < page.count('@@') else '') for i, part in enumerate(page.split('@@')))
        for n in range(5):
            yield f'{name} {n}', fill(page, chance)
    for n in range(random_texts):
        yield f'made up {n}', fill(''.join(chance.choices(PIECES, k=chance.randrange(2, 20))), chance)
