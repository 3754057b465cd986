module crawl

go 1.19
